use crate::events::{catalogue, names};

#[test]
fn every_name_of_the_catalogue_is_well_formed_distinct_and_reserved() {
    let types = catalogue();
    let names: std::collections::HashSet<_> = types.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names.len(), types.len());
    for name in names {
        assert!(names::is_name(name) && names::RESERVED.contains(&names::first_word(name)), "{name}");
    }
}

#[test]
fn every_event_and_field_of_the_catalogue_is_described() {
    for kind in catalogue() {
        assert!(kind.about.ends_with('.') && !kind.fields.is_empty(), "{}", kind.name);
        assert!(kind.fields.iter().all(|field| field.about.ends_with('.')), "{}", kind.name);
    }
}
