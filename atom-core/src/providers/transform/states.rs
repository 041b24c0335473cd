//! States that a vendor spreads over several members, or has several of.

use serde_json::{Value, json};

/// A deal by whether it is closed, and won. HubSpot's flags are texts.
pub(super) fn deal(record: &Value) -> Option<Value> {
    let flag = |names: [&str; 2]| {
        let value = names.iter().find_map(|name| record.get(name)).filter(|value| !value.is_null())?;
        Some(*value == true || *value == "true")
    };
    let is_closed = flag(["IsClosed", "hs_is_closed"])?;
    let is_won = flag(["IsWon", "hs_is_closed_won"]).unwrap_or_default();
    let status = match (is_closed, is_won) {
        (false, _) => "open",
        (true, true) => "won",
        (true, false) => "lost",
    };
    Some(status.into())
}

/// What is void has no amounts left:
/// <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice#void-an-invoice>.
pub(super) fn quickbooks_invoice(invoice: &Value) -> Option<&'static str> {
    let (total, balance) = (invoice.get("TotalAmt")?.as_f64()?, invoice.get("Balance")?.as_f64()?);
    let is_void = invoice.get("PrivateNote").and_then(Value::as_str).is_some_and(|note| note.starts_with("Voided"));
    Some(if is_void && total <= 0.0 {
        "void"
    } else if balance <= 0.0 {
        "paid"
    } else if balance < total {
        "partially_paid"
    } else {
        "open"
    })
}

/// <https://shopify.dev/docs/api/admin-graphql/latest/objects/Order>.
pub(super) fn shopify_order(order: &Value) -> Value {
    let is_cancelled = order.get("cancelledAt").is_some_and(|at| !at.is_null());
    let is_closed = order.get("closed").is_some_and(|closed| *closed == true);
    if is_cancelled {
        "cancelled".into()
    } else if is_closed {
        "closed".into()
    } else {
        "open".into()
    }
}

/// <https://linear.app/developers/graphql>, the types of `WorkflowState`.
pub(super) fn linear_types(status: &str) -> Option<Value> {
    Some(match status {
        "open" => json!(["triage", "backlog", "unstarted"]),
        "in_progress" => json!(["started"]),
        "done" => json!(["completed"]),
        "cancelled" => json!(["canceled", "duplicate"]),
        _ => return None,
    })
}

/// What has a meaning in a criterion is marked.
pub(super) fn zoho_criterion(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '(' | ')' | ',' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deal_is_open_won_or_lost_by_either_vendors_flags() {
        assert_eq!(deal(&json!({"IsClosed": true, "IsWon": false})), Some(json!("lost")));
        assert_eq!(deal(&json!({"IsClosed": false, "IsWon": false})), Some(json!("open")));
        assert_eq!(deal(&json!({"hs_is_closed": "true", "hs_is_closed_won": "true"})), Some(json!("won")));
        assert_eq!(deal(&json!({"hs_is_closed": null})), None);
    }

    #[test]
    fn an_invoice_is_as_far_as_its_balance() {
        for (total, balance, note, status) in
            [(9.0, 9.0, "", "open"), (9.0, 2.0, "", "partially_paid"), (9.0, 0.0, "", "paid"), (0.0, 0.0, "Voided - Ada", "void")]
        {
            let invoice = json!({"TotalAmt": total, "Balance": balance, "PrivateNote": note});
            assert_eq!(quickbooks_invoice(&invoice), Some(status), "{invoice}");
        }
        assert_eq!(quickbooks_invoice(&json!({})), None);
    }

    #[test]
    fn an_order_is_cancelled_before_it_is_closed() {
        assert_eq!(shopify_order(&json!({"closed": true, "cancelledAt": "2026-11-21T08:00:00Z"})), "cancelled");
        assert_eq!(shopify_order(&json!({"closed": true, "cancelledAt": null})), "closed");
        assert_eq!(shopify_order(&json!({"closed": false})), "open");
    }

    #[test]
    fn marks_in_a_criterion_do_not_end_it() {
        assert_eq!(zoho_criterion("Won (late), or"), "Won \\(late\\)\\, or");
        assert_eq!(linear_types("on_hold"), None);
    }
}
