//! `famulor schema`

use crate::fixture::Fixture;

#[test]
fn a_schema_is_json_in_every_format() {
    let world = Fixture::new();
    let text = world.bare(["schema", "emulator-script"]).run().exits(0);
    let schema = text.json();
    assert!(
        schema["$schema"]
            .as_str()
            .is_some_and(|url| url.contains("json-schema.org")),
        "{schema}"
    );
    for key in ["assistants", "rules", "tokens", "limits", "faults"] {
        assert!(schema["properties"][key].is_object(), "{key} in {schema}");
    }
    for format in ["json", "jsonl", "table"] {
        let other = world
            .bare(["schema", "emulator-script", "-o", format])
            .run()
            .exits(0);
        assert_eq!(other.stdout, text.stdout, "{format}");
    }
}

#[test]
fn an_unknown_schema_is_refused_with_the_known_ones() {
    let world = Fixture::new();
    world
        .bare(["schema", "emulator-scripts"])
        .run()
        .exits(2)
        .says("emulator-script");
    world.bare(["schema"]).run().exits(2).says("NAME");
    world
        .bare(["schema", "emulator-script", "--dry-run"])
        .run()
        .exits(2);
}
