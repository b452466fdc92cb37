//! One customer's messages go one at a time and in order; nobody waits behind somebody else's.

use std::time::Duration;

use famulor_emulator::{Before, Fault, Operation};

use crate::{column, customers, exported, input, message, run, sent, world};

#[test]
fn a_customers_messages_go_one_at_a_time_in_the_order_of_the_input() {
    let world = world();
    let texts: Vec<String> = (1..=8).map(|number| format!("Message {number}")).collect();
    input(
        &world,
        &texts
            .iter()
            .map(|text| message("crm-1", text))
            .collect::<Vec<_>>(),
    );
    run(&world, &["--concurrency", "8"]).run().exits(0);
    assert_eq!(world.said("crm-1", "user"), texts);
}

#[test]
fn other_customers_do_not_wait_behind_a_slow_one() {
    let world = world();
    let slow = Fault::before(Before::Delay(Duration::from_millis(1500)));
    world
        .emulator
        .inject(slow.on(Operation::GenerateReply).for_customer("crm-slow"));
    let mut messages = vec![message("crm-slow", "One"), message("crm-slow", "Two")];
    messages.extend((1..=10).map(|number| message(&format!("crm-{number}"), "Hi")));
    input(&world, &messages);
    run(&world, &["--concurrency", "3"]).run().exits(0);
    let order = customers(&world);
    assert_eq!(
        order.last().map(String::as_str),
        Some("crm-slow"),
        "{order:?}"
    );
    assert_eq!(world.said("crm-slow", "user"), ["One", "Two"]);
}

#[test]
fn a_customer_with_one_message_does_not_wait_for_one_with_many() {
    let world = world();
    let mut messages: Vec<_> = (1..=20)
        .map(|number| message("crm-many", &format!("{number}")))
        .collect();
    messages.push(message("crm-one", "Only this"));
    input(&world, &messages);
    run(&world, &["--concurrency", "1"]).run().exits(0);
    let place = customers(&world)
        .iter()
        .position(|customer| customer == "crm-one");
    assert!(
        place.is_some_and(|place| place <= 2),
        "served as number {place:?}"
    );
    assert_eq!(sent(&world).len(), 21);
    assert_eq!(column(&exported(&world), "state"), ["done"; 21]);
}
