//! What costs money and time, from [`Client::usage`].

use famulor_core::{Client, Usage};
use opentelemetry::metrics::Meter;

/// Reads one figure.
type Count = fn(&Usage) -> u64;

/// OpenTelemetry has no names for these; they are written after its rules for names and units.
const COUNTS: [(&str, &str, Count); 3] = [
    ("famulor.client.messages.billed", "{message}", |usage| {
        usage.billed_messages
    }),
    ("famulor.client.replies", "{reply}", |usage| usage.replies),
    ("famulor.client.outcomes.unknown", "{message}", |usage| {
        usage.unknown_outcomes
    }),
];

/// The meter asks for them before each export.
pub(super) fn observe(meter: &Meter, client: &Client) {
    for (name, unit, read) in COUNTS {
        let client = client.clone();
        meter
            .u64_observable_counter(name)
            .with_unit(unit)
            .with_callback(move |observer| observer.observe(read(&client.usage()), &[]))
            .build();
    }
    let client = client.clone();
    meter
        .f64_observable_counter("famulor.client.quota.wait.time")
        .with_unit("s")
        .with_description("Time spent waiting for the quota, all calls together.")
        .with_callback(move |observer| observer.observe(client.usage().waited.as_secs_f64(), &[]))
        .build();
}
