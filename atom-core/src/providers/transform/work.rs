//! Channels, pull requests and issues: what vendors say of them with several members at once.

use serde_json::Value;

fn text<'v>(record: &'v Value, member: &str) -> Option<&'v str> {
    record.get(member)?.as_str()
}

fn is_set(record: &Value, member: &str) -> bool {
    record.get(member).and_then(Value::as_bool).unwrap_or_default()
}

/// <https://docs.slack.dev/reference/objects/conversation-object>
pub(super) fn slack_channel_kind(channel: &Value) -> &'static str {
    match (is_set(channel, "is_im"), is_set(channel, "is_mpim")) {
        (true, _) => "direct",
        (_, true) => "group",
        _ => "channel",
    }
}

/// GitHub's pull requests are open or closed; a merged one is closed and says when.
pub(super) fn github_pull_state(pull: &Value) -> Option<&'static str> {
    let is_merged = pull.get("merged_at").is_some_and(|at| !at.is_null());
    match text(pull, "state")? {
        "closed" if is_merged => Some("merged"),
        "closed" => Some("closed"),
        _ => Some("open"),
    }
}

/// An issue that was closed for these reasons was not done: <https://docs.github.com/en/rest/issues/issues#update-an-issue>.
pub(super) fn github_issue_status(issue: &Value) -> Option<&'static str> {
    match (text(issue, "state")?, text(issue, "state_reason")) {
        ("closed", Some("not_planned" | "duplicate")) => Some("cancelled"),
        ("closed", _) => Some("done"),
        _ => Some("open"),
    }
}

pub(super) fn to_github_issue_state(status: &str) -> Option<&'static str> {
    match status {
        "open" => Some("open"),
        "done" | "cancelled" => Some("closed"),
        _ => None,
    }
}

/// The reason beside the state. GitHub passes over it where the state stays.
pub(super) fn to_github_issue_reason(status: &str) -> Option<&'static str> {
    match status {
        "open" => Some("reopened"),
        "done" => Some("completed"),
        "cancelled" => Some("not_planned"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn states_are_told_from_several_members() {
        assert_eq!(slack_channel_kind(&json!({"is_im": true, "is_mpim": false})), "direct");
        assert_eq!(slack_channel_kind(&json!({"is_mpim": true})), "group");
        assert_eq!(slack_channel_kind(&json!({"is_channel": true})), "channel");
        assert_eq!(github_pull_state(&json!({"state": "closed", "merged_at": "2026-11-21T08:00:00Z"})), Some("merged"));
        assert_eq!(github_pull_state(&json!({"state": "closed", "merged_at": null})), Some("closed"));
        assert_eq!(github_pull_state(&json!({})), None);
    }

    #[test]
    fn an_issue_is_written_as_it_is_read() {
        for status in ["open", "done", "cancelled"] {
            let issue = json!({"state": to_github_issue_state(status), "state_reason": to_github_issue_reason(status)});
            assert_eq!(github_issue_status(&issue), Some(status));
        }
        assert_eq!((to_github_issue_state("on_hold"), to_github_issue_reason("on_hold")), (None, None));
    }
}
