use super::*;
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Open,
    #[serde(other)]
    Other,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Task {
    id: String,
    provider: String,
    title: Option<String>,
    size: Option<f64>,
    state: State,
    #[serde(default)]
    tags: Vec<String>,
    extra: Option<crate::Json>,
    raw: RawRecord,
}

fn task(table: &Record, vendor: &str) -> Result<Task, String> {
    let given = Vars::new();
    let plan = Plan::new(Some(table), "stage", &given);
    Task::deserialize(plan.read(vendor)).map_err(|_| plan.field().to_owned())
}

#[test]
fn a_record_is_read_by_its_table_and_keeps_the_vendors_own_word_for_word() {
    let table: Record = toml::from_str(
        "id = \"gid\"\ntitle = \"name\"\nsize = \"n\"\nstate = { path = \"s\", enum = { o = \"open\" } }\ntags = \"tags\"\nextra = \"x\"",
    )
    .expect("a table");
    let vendor = r#"{"gid": "1", "n": 3, "s": "o", "more": 1.10, "name": null, "tags": ["a"], "x": {"deep": [1, {"a": null}]}}"#;
    let read = task(&table, vendor).expect("a task");
    assert_eq!((read.id.as_str(), read.provider.as_str(), read.title, read.size), ("1", "stage", None, Some(3.0)));
    assert_eq!((read.state, read.tags, read.raw.text()), (State::Open, vec!["a".to_owned()], vendor));
    assert_eq!(read.extra, Some(crate::Json(serde_json::json!({"deep": [1, {"a": null}]}))));
    assert_eq!(task(&table, r#"{"gid": "1", "s": "?"}"#).expect("a task").state, State::Other);
}

#[test]
fn a_null_is_nothing_an_escaped_name_is_a_name_and_of_two_values_the_first_counts() {
    let table: Record = toml::from_str(
        "id = \"gid\"\ntitle = \"name\"\nstate = { path = \"s\", enum = { o = \"open\" } }\ntags = \"tags\"\nextra = \"s\"",
    )
    .expect("a table");
    for vendor in [
        r#"{"gid":"1","name":"n","tags":null,"s":"o"}"#,
        r#"{ "tags" :
            null, "n\u0061me" : "n", "gid": "1", "s": "o", "gid": "2", "s": "x" }"#,
        r#"{"s": "o", "t\u0061gs": null, "gid": "1", "name": "n", "name": null}"#,
    ] {
        let read = task(&table, vendor).expect("a task");
        assert_eq!((read.id.as_str(), read.title.as_deref(), read.state), ("1", Some("n"), State::Open), "{vendor}");
        assert_eq!((read.tags, read.extra, read.raw.text()), (vec![], Some(crate::Json("o".into())), vendor));
    }
}

#[derive(Debug, PartialEq, Deserialize)]
struct Meeting {
    room: Option<String>,
    host: Option<Person>,
    first: Option<Person>,
    #[serde(default)]
    guests: Vec<Person>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Person {
    name: Option<String>,
    mail: Option<String>,
}

#[test]
fn parts_of_a_record_are_read_from_its_text_as_they_are_from_its_values() {
    let table: Record = toml::from_str(
        r#"
        room = "rooms[0]"
        host = { path = "by", each = { name = "n", mail = "mails[0]" } }
        first = { path = "people[0]", each = { name = "n" } }
        guests = { path = "all", each = { name = "n", mail = "mails[0]" } }
        "#,
    )
    .expect("a table");
    let given = Vars::new();
    for (vendor, people) in [
        (
            json!({"rooms": ["1", 2], "by": {"n": "A", "mails": ["a@x"], "more": [1]}, "people": [{"n": "B"}, 7], "all": [{"n": "C"}, {}, 7, null]}),
            4,
        ),
        (json!({"rooms": [], "by": {}, "people": [null], "all": []}), 0),
        (json!({"rooms": "x", "by": null, "people": {"n": "B"}, "all": null}), 0),
        (json!({"rooms": [null], "by": 7, "people": []}), 0),
        (json!([1]), 0),
    ] {
        let of_values =
            Value::Object(table.read(&vendor, &given).map(|(name, value)| (name.to_owned(), value.into_value())).collect());
        let text = vendor.to_string();
        let plan = Plan::new(Some(&table), "stage", &given);
        let of_text = Meeting::deserialize(plan.read(&text)).expect("a meeting");
        assert_eq!(of_text, Meeting::deserialize(of_values).expect("a meeting"), "{vendor}");
        assert_eq!(of_text.guests.len(), people, "{vendor}");
    }
}

#[test]
fn a_record_that_does_not_fit_is_refused_by_the_name_of_its_field() {
    let table: Record = toml::from_str("id = \"gid\"\nstate = { path = \"s\", enum = { o = \"open\" } }").expect("a table");
    assert_eq!(task(&table, r#"{"gid": 1, "s": "o"}"#), Err("id".to_owned()));
    assert!(task(&table, "[]").is_err() && task(&table, "7").is_err());
}
