//! Answers as the types that a caller gets.

use crate::manifest::Operation;
use atom_core as core;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads one record.
type Read = fn(&Value) -> Result<(), String>;

fn read<T: DeserializeOwned>(record: &Value) -> Result<(), String> {
    serde_json::from_value::<T>(record.clone()).map(drop).map_err(|e| e.to_string())
}

/// The type of the records of a unified operation.
fn reader(operation: &str) -> Option<Read> {
    let (capability, call) = operation.split_once('.')?;
    let has = |word: &str| call.contains(word);
    Some(match capability {
        "files" => read::<core::RemoteFile>,
        "calendar" if has("calendars") => read::<core::RemoteCalendar>,
        "calendar" => read::<core::CalendarEvent>,
        "mail" if has("folders") => read::<core::MailFolder>,
        "mail" => read::<core::MailMessage>,
        "tasks" if has("project") => read::<core::RemoteProject>,
        "tasks" if has("comment") => read::<core::TaskComment>,
        "tasks" => read::<core::RemoteTask>,
        "chat" if has("channel") => read::<core::ChatChannel>,
        "chat" if has("user") => read::<core::ChatUser>,
        "chat" => read::<core::ChatMessage>,
        "crm" if has("contact") => read::<core::CrmContact>,
        "crm" if has("compan") => read::<core::CrmCompany>,
        "crm" => read::<core::CrmDeal>,
        "payments" if has("customer") => read::<core::PaymentCustomer>,
        "payments" if has("invoice") => read::<core::PaymentInvoice>,
        "payments" if has("subscription") => read::<core::PaymentSubscription>,
        "payments" if has("refund") => read::<core::PaymentRefund>,
        "payments" if has("product") => read::<core::PaymentProduct>,
        "payments" => read::<core::Payment>,
        "code" if has("repositor") => read::<core::CodeRepository>,
        "code" if has("commit") => read::<core::CodeCommit>,
        "code" if has("release") => read::<core::CodeRelease>,
        "code" => read::<core::PullRequest>,
        "commerce" if has("product") => read::<core::ShopProduct>,
        "commerce" if has("order") => read::<core::ShopOrder>,
        "commerce" => read::<core::ShopCustomer>,
        "documents" => read::<core::Document>,
        "meetings" => read::<core::Meeting>,
        _ => return None,
    })
}

/// Operations that answer with something else than their record.
fn is_without_record(operation: &str) -> bool {
    let call = operation.split_once('.').map_or("", |(_, call)| call);
    call.starts_with("delete") || matches!(call, "download" | "append" | "get_text" | "merge_pull_request")
}

/// Whether what a call returned is what its type says: each record whole, with its id, the provider and the vendor's own record, and a list
/// with at least one of them.
pub(crate) fn check(operation: &Operation, value: &Value) -> Result<(), String> {
    let operation = operation.base().0;
    if is_without_record(operation) {
        return Ok(());
    }
    let Some(read) = reader(operation) else { return Ok(()) };
    let records: Vec<&Value> = match value["items"].as_array() {
        Some(items) if items.is_empty() => return Err("no record was read out of the vendor's list".into()),
        Some(items) => items.iter().collect(),
        None => vec![value],
    };
    for record in records {
        read(record).map_err(|why| format!("{why}: {}", shortened(record)))?;
        for mandatory in ["id", "provider"] {
            if record[mandatory].as_str().is_none_or(str::is_empty) {
                return Err(format!("a record without `{mandatory}`: {}", shortened(record)));
            }
        }
        if record["raw"].is_null() {
            return Err("a record without the vendor's own beside it".into());
        }
    }
    Ok(())
}

fn shortened(record: &Value) -> String {
    record.to_string().chars().take(400).collect()
}
