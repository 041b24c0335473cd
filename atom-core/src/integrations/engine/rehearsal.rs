//! Answers that no vendor gave, read as an operation's: for fuzzers, which ask nobody.

use super::call::Call;
use super::pages::{self, Place};
use super::records::Items;
use super::text::Vendor;
use crate::connect::Connection;
use crate::http_client::Response;
use crate::integrations::{calendar, chat, code, commerce, crm, documents, failure, files, mail, meetings, payments, tasks};
use crate::providers::{Answer, Facts, Vars};
use crate::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

/// What an answer was read as.
pub(crate) struct Rehearsal {
    /// The records, through their table.
    pub(crate) records: Vec<Value>,
    /// Where the next page would be asked for.
    pub(crate) next: Option<Url>,
}

/// Reads an answer as an operation, or a variant of one, reads it. `at` is the page or the offset that was asked for.
pub(crate) fn rehearse(connection: &Connection, operation: &str, at: Option<i64>, answer: Response) -> Result<Rehearsal> {
    let call = Call::rehearsed(connection, operation, at)?;
    failure::is_unauthenticated(call.manifest(), &answer);
    let answered = call.read(answer)?;
    if call.operation.answer != Answer::Json {
        return Ok(Rehearsal { records: Vec::new(), next: None });
    }
    let Items { items, next_cursor } = if call.is_list() {
        call.take_items(answered)?
    } else {
        Items { items: vec![call.take_item(&answered)?], next_cursor: None }
    };
    // Each of these is done, whatever became of the one before.
    let named = items.iter().try_for_each(|item| call.id_of(item).and(call.text_of(item)).map(drop));
    let records: Result<Vec<_>> = items.iter().map(|item| call.untyped(item)).collect();
    let typed = call.typed_by_name(&items);
    let next = next_cursor.map(|cursor| call.turned(&cursor)).transpose();
    named.and(typed)?;
    Ok(Rehearsal { records: records?, next: next? })
}

impl<'a> Call<'a> {
    /// A call of somebody who gave every input, of an account of which everything is known.
    fn rehearsed(connection: &'a Connection, name: &str, at: Option<i64>) -> Result<Self> {
        let manifest = &connection.app.manifest;
        let known = manifest.service_of(name).and_then(|service| Some((service, service.operations.get_key_value(name)?)));
        let (service, (name, operation)) = known.ok_or_else(|| Error::not_found("operation"))?;
        // Where an address begins with a fact, that fact is an origin.
        let base_url = operation.base_url.as_ref().unwrap_or(&service.base_url).to_string();
        let origin = manifest.hosts.first().map(|host| format!("https://{}", host.text().replace('*', "x"))).unwrap_or_default();
        let fact = |name: &str| if base_url.starts_with(&format!("{{{name}}}")) { origin.clone() } else { "x".to_owned() };
        let facts: Facts = manifest.facts().map(|name| (name.to_owned(), fact(name))).collect();
        let mut given: Vars = operation.inputs.iter().map(|name| (name.clone(), example(name))).collect();
        given.remove("cursor");
        given.extend(operation.defaults.clone());
        given.extend(facts.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
        let mut vars = given.clone();
        if let Place::Vars(begin) = pages::begin(operation, None, name)? {
            vars.extend(begin.into_iter().map(|(name, count)| (name, at.map_or(count, Value::from))));
        }
        Ok(Self { connection, service, name, operation, vars, facts, given, url: None, content: None })
    }

    /// Where the page of a cursor would be asked for.
    fn turned(&self, cursor: &str) -> Result<Url> {
        let (mut vars, mut url) = (self.vars.clone(), None);
        match pages::begin(self.operation, Some(&cursor.into()), self.name)? {
            Place::Vars(more) => vars.extend(more),
            Place::Url(next) => url = Some(next),
        }
        let next = Call { vars, url, facts: self.facts.clone(), given: self.given.clone(), content: None, ..*self };
        self.connection.app.resolve(&next.request()?.url, &self.facts)
    }

    /// Reads the records as the type that the name of a unified operation promises, and writes them as the bindings do.
    fn typed_by_name(&self, items: &[Vendor]) -> Result<()> {
        let base = self.name.split('+').next().unwrap_or_default();
        // What is fetched next is read by another operation.
        let Some((capability, action)) = base.split_once('.').filter(|_| self.operation.fetch.is_none()) else { return Ok(()) };
        let what = action.split_once('_').map_or("", |(_, what)| what).trim_end_matches('s');
        match (capability, what) {
            ("calendar", "calendar") => self.written::<calendar::RemoteCalendar>(items),
            ("calendar", "event") => self.written::<calendar::CalendarEvent>(items),
            ("chat", "channel") => self.written::<chat::ChatChannel>(items),
            ("chat", "message") => self.written::<chat::ChatMessage>(items),
            ("chat", "user") => self.written::<chat::ChatUser>(items),
            ("code", "commit") => self.written::<code::CodeCommit>(items),
            ("code", "pull_request") => self.written::<code::PullRequest>(items),
            ("code", "release") => self.written::<code::CodeRelease>(items),
            ("code", "repository" | "repositorie") => self.written::<code::CodeRepository>(items),
            ("commerce", "customer") => self.written::<commerce::ShopCustomer>(items),
            ("commerce", "order") => self.written::<commerce::ShopOrder>(items),
            ("commerce", "product") => self.written::<commerce::ShopProduct>(items),
            ("crm", "company" | "companie") => self.written::<crm::CrmCompany>(items),
            ("crm", "contact") => self.written::<crm::CrmContact>(items),
            ("crm", "deal") => self.written::<crm::CrmDeal>(items),
            ("documents", "") => self.written::<documents::Document>(items),
            ("files", _) => self.written::<files::RemoteFile>(items),
            ("mail", "folder") => self.written::<mail::MailFolder>(items),
            ("mail", "") => self.written::<mail::MailMessage>(items),
            ("meetings", "") => self.written::<meetings::Meeting>(items),
            ("payments", "customer") => self.written::<payments::PaymentCustomer>(items),
            ("payments", "invoice") => self.written::<payments::PaymentInvoice>(items),
            ("payments", "payment") => self.written::<payments::Payment>(items),
            ("payments", "product") => self.written::<payments::PaymentProduct>(items),
            ("payments", "subscription") => self.written::<payments::PaymentSubscription>(items),
            ("payments", "") => self.written::<payments::PaymentRefund>(items),
            ("tasks", "comment") => self.written::<tasks::TaskComment>(items),
            ("tasks", "project") => self.written::<tasks::RemoteProject>(items),
            ("tasks", "") => self.written::<tasks::RemoteTask>(items),
            _ => Ok(()),
        }
    }

    fn written<T: DeserializeOwned + Serialize + PartialEq>(&self, items: &[Vendor]) -> Result<()> {
        for item in items {
            let typed = self.typed_one::<T>(item);
            // The way over values is the longer one, and comes to the same wherever it can be gone.
            let valued = self.untyped(item).ok().and_then(|record| serde_json::from_value::<T>(record).ok());
            let is_same = valued.is_none_or(|valued| typed.as_ref().is_ok_and(|typed| *typed == valued));
            assert!(is_same, "`{}` of {} reads a record in two ways", self.name, self.manifest().name);
            serde_json::to_string(&typed?).expect("what was read can be written");
        }
        Ok(())
    }
}

/// An input's value, of a kind that its name promises.
fn example(name: &str) -> Value {
    let is_moment = ["_at", "_after", "_before"].iter().any(|end| name.ends_with(end));
    match name {
        "page_size" => 2.into(),
        _ if is_moment => "2026-11-28T00:00:00Z".into(),
        _ => "1".into(),
    }
}
