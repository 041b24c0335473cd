//! Field tables: how a vendor's record becomes ours and ours theirs. One table serves both directions.

mod money;
mod read;
mod written;

pub(crate) use read::Reading;

use super::enums::{EnumTable, Enums};
use super::path::Path;
use super::template::Vars;
use super::transform::Transform;
use money::Money;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The fields of one record type of a provider: unified name on the left, vendor's place on the right.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Record(BTreeMap<String, Field>);

/// One field.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Where it is read; the first that leads anywhere.
    paths: Vec<Path>,
    /// Where it is written, if it is.
    write: Option<Path>,
    how: How,
    /// Members that the record must have for it, or, of a list of records, each of them. What is written gets them.
    only: Vec<(Path, Value)>,
    /// What is read where the vendor has nothing.
    default: Option<Value>,
    /// A single value of the vendor's is a list of one of ours.
    list: bool,
    write_only: bool,
}

#[derive(Clone, Debug)]
enum How {
    Plain,
    Transform(Transform),
    /// Vendor's value to ours.
    Enum(Arc<EnumTable>),
    /// A table of the service, before it is bound.
    Named(String),
    /// True where the vendor's value is this one; `otherwise` is what a false writes.
    Equals {
        value: Value,
        otherwise: Option<Value>,
    },
    /// True where there is a value and it is another one.
    NotEquals {
        value: Value,
        otherwise: Option<Value>,
    },
    /// True where there is a value, or where there is none.
    Exists(bool),
    /// True where the vendor's list holds this one.
    Contains(String),
    /// The text after this one.
    After(String),
    Money(Money),
    /// A record, or a list of them.
    Each(Record),
    /// A list of scalars out of a list of objects.
    EachValue(Path),
    /// A text out of several places.
    Template(Vec<Piece>),
}

/// A member of the vendor's record that is a field as it stands.
pub(crate) struct Straight<'f> {
    pub(crate) key: &'f str,
    /// The first element of the list there, instead of what stands there.
    pub(crate) first: bool,
    /// It is a record, or a list of them, of such members in turn.
    pub(crate) parts: Option<&'f Record>,
}

/// A part of a text: fixed, or from a place in the vendor's record.
#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Place(Path),
    /// What the caller said: not every record names what it belongs to.
    Input(String),
}

impl Record {
    /// The inputs and facts that its fields are made of, beside the vendor's record.
    pub(crate) fn given_names(&self) -> Vec<&str> {
        fn of_one(field: &Field) -> Vec<&str> {
            match &field.how {
                How::Money(money) => money.fact.as_deref().into_iter().collect(),
                How::Template(pieces) => {
                    let inputs =
                        pieces.iter().filter_map(|piece| if let Piece::Input(name) = piece { Some(name.as_str()) } else { None });
                    inputs.collect()
                }
                How::Each(record) => record.given_names(),
                _ => Vec::new(),
            }
        }
        self.0.values().flat_map(of_one).collect()
    }

    /// What stands under a name.
    pub(crate) fn read_one<'v>(&'v self, name: &str, vendor: &'v Value, given: &Vars) -> Option<Reading<'v>> {
        self.0.get(name)?.read(vendor, given)
    }

    /// Our record from the vendor's, in an answer to what was given. Fields that the vendor left out are left out.
    pub(crate) fn read<'v>(&'v self, vendor: &'v Value, given: &'v Vars) -> impl Iterator<Item = (&'v str, Reading<'v>)> {
        self.0.iter().filter_map(move |(name, field)| Some((name.as_str(), field.read(vendor, given)?)))
    }

    /// The same for a part of another record.
    fn read_part(&self, vendor: &Value, around: &Value, given: &Vars) -> Value {
        let read =
            |(name, field): (&String, &Field)| Some((name.clone(), field.read_in(vendor, Some(around), given)?.into_value()));
        Value::Object(self.0.iter().filter_map(read).collect())
    }

    /// The fields, by name.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.0.iter().map(|(name, field)| (name.as_str(), field))
    }

    /// The vendor's record from ours: only the fields that are given. Fails with the name of one whose value the vendor does not have.
    pub(crate) fn write<'n>(&'n self, ours: &Map<String, Value>) -> Result<Value, &'n str> {
        let mut vendor = Value::Object(Map::new());
        // What is part of the record has to agree with it.
        let (parts, own): (Vec<_>, Vec<_>) = self.0.iter().partition(|(_, field)| matches!(field.how, How::Each(_)));
        for (name, field) in own.into_iter().chain(parts) {
            let Some(path) = &field.write else { continue };
            let Some(value) = ours.get(name).filter(|value| !value.is_null()) else { continue };
            field.put(value, path, &mut vendor, ours).ok_or(name.as_str())?;
        }
        Ok(vendor)
    }

    /// A part of the vendor's record. What the vendor cannot be told is not passed over.
    fn write_part(&self, ours: &Map<String, Value>) -> Option<Value> {
        let is_written = |name: &str| self.0.get(name).is_some_and(|field| field.write.is_some());
        let is_known = ours.iter().all(|(name, value)| value.is_null() || is_written(name));
        self.write(ours).ok().filter(|_| is_known)
    }

    /// The amounts in it whose currency stands in the record around it.
    fn amounts(&self) -> impl Iterator<Item = (&String, &Money)> {
        self.0.iter().filter_map(|(name, field)| match &field.how {
            How::Money(money) if money.currency_of.is_some() => Some((name, money)),
            _ => None,
        })
    }

    /// The names of the fields that are read.
    pub(crate) fn readable(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, field)| !field.write_only).map(|(name, _)| name.as_str())
    }

    /// The names of the fields that are written.
    pub(crate) fn writable(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, field)| field.write.is_some()).map(|(name, _)| name.as_str())
    }

    /// Gives the fields the tables that they name.
    pub(super) fn bind(&mut self, enums: &Enums) -> Result<(), String> {
        self.0.iter_mut().try_for_each(|(name, field)| match &mut field.how {
            How::Named(table) => {
                let known =
                    enums.get(table).ok_or_else(|| format!("{name}.enum = `{table}`: there is no such table in `enums`"))?;
                field.how = How::Enum(Arc::clone(known));
                Ok(())
            }
            How::Each(record) => record.bind(enums),
            _ => Ok(()),
        })
    }
}

impl Field {
    /// The member that it is, if it can be read straight from the vendor's text.
    pub(crate) fn straight(&self) -> Option<Straight<'_>> {
        let [path] = &self.paths[..] else { return None };
        let parts = match &self.how {
            How::Plain => None,
            How::Each(record) if record.0.values().all(|part| part.straight().is_some()) => Some(record),
            _ => return None,
        };
        let (key, first) = path.member()?;
        let is_all = self.default.is_none() && !self.list && !self.write_only && self.only.is_empty();
        is_all.then_some(Straight { key, first, parts })
    }

    /// The members of the vendor's record that it is made of; nothing if that is more than members.
    pub(crate) fn keys(&self) -> Option<Vec<&str>> {
        if self.write_only {
            return Some(Vec::new());
        }
        let more: Vec<&Path> = match &self.how {
            How::Money(money) => money.currency.iter().collect(),
            How::Each(record) => record.amounts().filter_map(|(_, money)| money.currency_of.as_ref()).collect(),
            How::Template(pieces) => {
                pieces.iter().filter_map(|piece| if let Piece::Place(path) = piece { Some(path) } else { None }).collect()
            }
            _ => Vec::new(),
        };
        let needed = self.only.iter().map(|(path, _)| path);
        self.paths.iter().chain(more).chain(needed).map(|path| path.first_key()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(toml: &str) -> Record {
        toml::from_str(toml).expect("a field table")
    }

    fn read(table: &Record, vendor: &Value) -> Value {
        Value::Object(table.read(vendor, &Vars::new()).map(|(name, value)| (name.to_owned(), value.into_value())).collect())
    }

    fn write(table: &Record, ours: &Value) -> Value {
        table.write(ours.as_object().expect("an object")).expect("written")
    }

    #[test]
    fn one_table_reads_and_writes() {
        let table = record(
            r#"
            title = "summary"
            status = { path = "state.name", enum = { confirmed = "accepted", no = "declined" } }
            is_folder = { path = "mime", equals = "folder" }
            unread = { path = "labels", contains = "UNREAD" }
            people = { path = "attendees", each = { email = "email", name = "displayName" } }
            etag = { path = "etag", read_only = true }
            number = { path = "number", after = "N-" }
            tags = { path = "labels2", each_value = "name" }
            total = { path = "amount", money = "minor", currency = "currency", currency_as = "lower" }
            is_private = { path = "visibility", equals = "private", otherwise = "public" }
            owner = { path = "owner", each = { id = "gid" } }
            "#,
        );
        let vendor = json!({
            "summary": "Lunch", "state": {"name": "confirmed"}, "mime": "folder", "labels": ["UNREAD"],
            "attendees": [{"email": "a@x", "displayName": "A", "extra": 1}], "etag": "1", "number": "N-7", "labels2": [{"name": "x"}],
            "amount": 1999, "currency": "eur", "visibility": "public", "owner": {"gid": "1"}
        });
        let ours = json!({
            "title": "Lunch", "status": "accepted", "is_folder": true, "unread": true, "people": [{"email": "a@x", "name": "A"}], "etag": "1",
            "number": "7", "tags": ["x"], "total": {"minor_units": 1999, "currency": "EUR"}, "is_private": false, "owner": {"id": "1"}
        });
        assert_eq!(read(&table, &vendor), ours);
        let mut given = ours.clone();
        given["unread"] = Value::Null;
        assert_eq!(
            write(&table, &given),
            json!({
                "summary": "Lunch", "state": {"name": "confirmed"}, "mime": "folder", "attendees": [{"email": "a@x", "displayName": "A"}],
                "number": "N-7", "labels2": [{"name": "x"}], "amount": 1999, "currency": "eur", "visibility": "public", "owner": {"gid": "1"}
            })
        );
    }

    #[test]
    fn values_are_read_from_the_first_place_by_default_or_put_together() {
        let table = record(
            r#"
            name = { first = ["display", "login"] }
            kind = { path = "kind", default = "task" }
            key = { template = "{repo.name}/{number}" }
            is_done = { path = "closed_at", exists = true }
            is_open = { path = "state", not_equals = "closed" }
            assignee_ids = { path = "assignee.id", list = true }
            assignee = { path = "assignee.name", write = "assignee_name" }
            secret = { path = "secret", write_only = true }
            "#,
        );
        let vendor = json!({"login": "ada", "repo": {"name": "engine"}, "number": 7, "state": "open", "assignee": {"id": "u1", "name": "Ada"}, "secret": "x"});
        assert_eq!(
            read(&table, &vendor),
            json!({
                "name": "ada", "kind": "task", "key": "engine/7", "is_done": false, "is_open": true, "assignee_ids": ["u1"], "assignee": "Ada"
            })
        );
        let ours = json!({"name": "Ada", "assignee_ids": ["u2"], "assignee": "Bob", "secret": "y"});
        let written = json!({"display": "Ada", "assignee": {"id": "u2"}, "assignee_name": "Bob", "secret": "y"});
        assert_eq!(write(&table, &ours), written);
        assert_eq!(table.writable().collect::<Vec<_>>(), ["assignee", "assignee_ids", "is_open", "kind", "name", "secret"]);
        assert!(!table.readable().any(|name| name == "secret"));
    }

    #[test]
    fn the_parts_of_a_record_have_its_currency_and_only_some_of_them_are_meant() {
        let table = record(
            r#"
            currency = "cur"
            lines = { path = "rows", only = { kind = "item" }, each = { name = "n", price = { path = "p", money = "decimal_number", currency_of = "cur", currency_fact = "home" } } }
            debit = { path = "amount", money = "minor", currency_is = "EUR", only = { side = "D" } }
            credit = { path = "amount", money = "minor", currency_is = "EUR", only = { side = "C" } }
            "#,
        );
        let vendor = json!({"cur": "JPY", "amount": 5, "side": "C", "rows": [{"kind": "item", "n": "a", "p": 1500}, {"kind": "sum", "p": 1500}]});
        let price = |minor_units: i64, currency: &str| json!({"minor_units": minor_units, "currency": currency});
        assert_eq!(
            read(&table, &vendor),
            json!({"currency": "JPY", "lines": [{"name": "a", "price": price(1500, "JPY")}], "credit": price(5, "EUR")})
        );
        let lines = |currency: &str| json!([{"name": "a", "price": price(1500, currency)}]);
        let rows = |p: f64| json!([{"kind": "item", "n": "a", "p": p}]);
        assert_eq!(write(&table, &json!({"lines": lines("EUR")})), json!({"cur": "EUR", "rows": rows(15.0)}), "it is said once");
        assert_eq!(write(&table, &json!({"lines": lines("EUR"), "home": "EUR"})), json!({"rows": rows(15.0)}));
        assert_eq!(write(&table, &json!({"debit": price(5, "EUR")})), json!({"amount": 5, "side": "D"}));
        let more = json!({"lines": [{"name": "a", "tax": "7"}]});
        for wrong in [json!({"lines": lines("EUR"), "home": "USD"}), json!({"lines": lines("EUR"), "currency": "USD"}), more] {
            assert_eq!(table.write(wrong.as_object().expect("an object")), Err("lines"), "{wrong}");
        }
    }

    #[test]
    fn what_the_vendor_has_no_value_for_is_named() {
        let table = record(r#"status = { path = "s", enum = { x = "open" } }"#);
        let ours = json!({"status": "on_hold"});
        assert_eq!(table.write(ours.as_object().expect("an object")), Err("status"));
    }

    #[test]
    fn two_ways_to_read_one_field_are_refused() {
        for wrong in [
            r#"a = { path = "a", equals = "x", contains = "y" }"#,
            r#"a = { path = "a", pth = "b" }"#,
            r#"a = { equals = "b" }"#,
            r#"a = { path = "a", first = ["b"] }"#,
            r#"a = { path = "a", currency = "b" }"#,
            r#"a = { path = "a", money = "minor" }"#,
            r#"a = { path = "a", currency_of = "b" }"#,
            r#"a = { path = "a", only = { "b[0]" = 1 } }"#,
            r#"a = { path = "a", as = "nothing" }"#,
        ] {
            assert!(toml::from_str::<Record>(wrong).is_err(), "{wrong}");
        }
    }
}
