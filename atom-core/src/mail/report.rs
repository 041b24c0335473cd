//! What a service says about a mail after it took it.

use super::{MailDelivery, MailDeliveryState, MailReport, store};
use crate::atom::Inner;
use crate::events::{self, MailBounced};
use crate::{Error, MailId, Result};
use std::sync::Arc;
use uuid::Uuid;

pub(super) async fn run(inner: &Arc<Inner>, report: MailReport) -> Result<MailDelivery> {
    let MailReport { message_id, receipt_id, is_complaint, reason } = report;
    let state = MailDeliveryState::reported(is_complaint.unwrap_or_default());
    let reason = reason.unwrap_or_else(|| state.as_str().to_owned());
    if !(1..=64).contains(&reason.len()) || !reason.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b)) {
        return Err(Error::invalid(
            "malformed_mail_report",
            "`reason` is a code of 1 to 64 letters, digits, points, hyphens and underscores",
        ));
    }
    let (db, now) = (inner.db()?, inner.now());
    let id = match (message_id, receipt_id) {
        (Some(message_id), None) => named(&message_id).ok_or_else(|| Error::not_found("mail"))?,
        (None, Some(receipt_id)) => store::by_receipt(db, &receipt_id).await?,
        _ => return Err(Error::invalid("malformed_mail_report", "give `message_id` or `receipt_id`")),
    };
    let mut tx = db.begin().await?;
    if let Some(known) = store::set_reported(&mut tx, id, state, &reason, now).await? {
        if let Some(workspace) = known.workspace {
            let (kind, state) = (known.kind.as_str().to_owned(), state.as_str().to_owned());
            let bounced = MailBounced { mail_id: id, kind, user_id: known.user, state, reason };
            events::append(&mut tx, workspace, bounced, now).await?;
        }
        tx.commit().await?;
    }
    store::get(db, id).await
}

/// The mail that a `Message-ID` of ours names.
fn named(message_id: &str) -> Option<MailId> {
    let (id, _) = message_id.trim().trim_start_matches('<').split_once('@')?;
    Uuid::try_parse(id).ok().map(MailId)
}
