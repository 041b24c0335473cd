//! The capabilities that no built-in provider has yet, in the shapes of vendors: their names, nesting, states, pages and refusals are as the vendors document
//! them, and the values are made up. A vendor's manifest is beside its tests.

mod canva;
mod figma;
mod freshdesk;
mod intercom;
mod linkedin;
mod make;
mod n8n;
mod push;
mod quickbooks;
mod x;
mod xero;
mod zendesk;

use super::server::{json as reply, status};
use super::*;

/// Every vendor's operations.
const MANIFESTS: [&str; 16] = [
    quickbooks::MANIFEST,
    xero::MANIFEST,
    zendesk::MANIFEST,
    freshdesk::MANIFEST,
    intercom::MANIFEST,
    x::MANIFEST,
    linkedin::MANIFEST,
    figma::MANIFEST,
    canva::MANIFEST,
    canva::ZEPLIN,
    n8n::MANIFEST,
    make::MANIFEST,
    push::ONESIGNAL,
    push::FIREBASE,
    push::EXPO,
    push::APNS,
];

/// What a capability asks its providers for, by the names in its handle.
fn operations(handle: &str, capability: &str) -> Vec<String> {
    let begin = format!("\"{capability}.");
    let names = handle.split(&begin).skip(1).filter_map(|rest| rest.split('"').next());
    names.map(|name| format!("{capability}.{name}")).collect()
}

#[test]
fn every_operation_of_these_capabilities_is_carried_out_by_some_vendor() {
    let handles = [
        ("accounting", include_str!("../../../src/integrations/accounting/mod.rs")),
        ("support", include_str!("../../../src/integrations/support/mod.rs")),
        ("social", include_str!("../../../src/integrations/social/mod.rs")),
        ("design", include_str!("../../../src/integrations/design/mod.rs")),
        ("automation", include_str!("../../../src/integrations/automation/mod.rs")),
        ("push", include_str!("../../../src/integrations/push/mod.rs")),
    ];
    for (capability, handle) in handles {
        let operations = operations(handle, capability);
        assert!(!operations.is_empty(), "{capability}");
        for operation in operations {
            let header = format!("[services.main.operations.\"{operation}\"]");
            assert!(MANIFESTS.iter().any(|manifest| manifest.contains(&header)), "no vendor's shape has {operation}");
        }
    }
}
