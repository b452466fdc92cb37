//! Manual pages.

use std::collections::BTreeSet;

use crate::fixture::{Fixture, read};

#[test]
fn one_page_goes_to_standard_output() {
    let world = Fixture::new();
    let page = world.bare(["man"]).run().exits(0).stdout;
    assert!(page.contains(".TH FAMULOR 1"), "{page}");
    assert!(
        page.contains("EXAMPLES") && page.contains("famulor demo"),
        "{page}"
    );
}

#[test]
fn every_command_has_a_page() {
    let world = Fixture::new();
    let directory = world.path("man1").display().to_string();
    world
        .bare(["man", "--dir", &directory])
        .run()
        .exits(0)
        .says("pages in");
    let names: BTreeSet<String> = std::fs::read_dir(&directory)
        .expect("it is made")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    for name in [
        "famulor.1",
        "famulor-reply.1",
        "famulor-conversation-create.1",
        "famulor-emulator-serve.1",
        "famulor-profile-use.1",
    ] {
        assert!(names.contains(name), "{names:?}");
    }
    let page = read(&world.path("man1/famulor-reply.1"));
    assert!(
        page.contains("--on\\-unknown") || page.contains("\\-\\-on\\-unknown"),
        "{page}"
    );
    assert!(page.contains("\\fBfamulor reply\\fR"), "{page}");
    assert!(
        page.contains("deadline"),
        "the global options are in it: {page}"
    );
    let file = world.file("a-file", "").display().to_string();
    world
        .bare(["man", "--dir", &file])
        .run()
        .exits(2)
        .says("cannot write");
}
