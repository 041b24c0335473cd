//! What a scope is used for.

use super::Principal;
use crate::{Error, ErrorKind, Result};
use atom_macros::model;

/// What a scope is used for, so that policies and the audit log can tell one use of a secret from another.
#[model(default)]
#[derive(Eq, Hash, PartialOrd, Ord)]
pub struct Purpose {
    /// The purpose: 1 to 64 small letters, digits, `.`, `_` and `-`, such as `invoice-sync`.
    pub purpose: String,
    /// The tool that serves it, of the same shape, such as `crm.search`.
    pub tool: Option<String>,
}

impl Purpose {
    /// Refuses what is no purpose.
    ///
    /// Fails with `invalid` (`malformed_purpose`).
    pub(crate) fn check(&self) -> Result<()> {
        if is_label(&self.purpose) && self.tool.as_deref().is_none_or(is_label) {
            return Ok(());
        }
        let text = "a purpose, and a tool, is 1 to 64 small letters, digits, `.`, `_` and `-`, such as `invoice-sync`";
        Err(Error::invalid("malformed_purpose", text))
    }

    /// The purpose as the audit log names it.
    pub(crate) fn details(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let tool = self.tool.as_deref().map(|tool| ("tool", tool));
        std::iter::once(("purpose", self.purpose.as_str())).chain(tool)
    }
}

/// Whether this is a name that programs give: of a purpose, a tool, a service, a policy.
pub(crate) fn is_label(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
}

impl Principal {
    /// The same principal, for one purpose from now on.
    ///
    /// Fails with `invalid` (`malformed_purpose`) or `forbidden` (`purpose_fixed`).
    pub(crate) fn for_purpose(self, purpose: Purpose) -> Result<Self> {
        purpose.check()?;
        match &self.purpose {
            Some(mine) if *mine != purpose => Err(fixed("use it for that, or begin with a scope that has none")),
            _ => Ok(Self { purpose: Some(purpose), ..self }),
        }
    }

    /// Refuses whoever was let in for one purpose only; what they try decides over the purposes of others too.
    ///
    /// Fails with `forbidden` (`purpose_fixed`).
    pub(crate) fn check_unbound(&self) -> Result<()> {
        if self.purpose.is_none() { Ok(()) } else { Err(fixed("do this with a scope that has none")) }
    }

    /// The purpose as the audit log names it, if there is one.
    pub(crate) fn purpose_details(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.purpose.iter().flat_map(Purpose::details)
    }
}

fn fixed(mend: &str) -> Error {
    let text = format!("this scope is for one purpose, which can be neither dropped nor replaced: {mend}");
    Error::new(ErrorKind::Forbidden, "purpose_fixed", text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Role;
    use crate::{UserId, WorkspaceId};

    fn purpose(purpose: &str, tool: Option<&str>) -> Purpose {
        Purpose { purpose: purpose.into(), tool: tool.map(str::to_owned) }
    }

    fn principal() -> Principal {
        let (user_id, workspace_id) = (UserId::generate(), WorkspaceId::generate());
        Principal { user_id, workspace_id, role: Role::Member, session_id: None, purpose: None }
    }

    #[test]
    fn a_purpose_is_a_short_word_for_programs() {
        let long = "x".repeat(64);
        for fine in ["a", "invoice-sync", "crm.search_2", &long] {
            purpose(fine, Some(fine)).check().expect(fine);
        }
        let long = "x".repeat(65);
        for wrong in ["", "Invoice", "invoice sync", "a/b", "\u{e4}", "a\n", &long] {
            assert_eq!(purpose(wrong, None).check().expect_err(wrong).reason(), "malformed_purpose");
            assert_eq!(purpose("a", Some(wrong)).check().expect_err(wrong).reason(), "malformed_purpose");
        }
    }

    #[test]
    fn a_purpose_is_neither_dropped_nor_replaced() {
        let bound = principal().for_purpose(purpose("sync", Some("crm"))).expect("the first");
        bound.clone().for_purpose(purpose("sync", Some("crm"))).expect("the same again");
        for other in [purpose("sync", None), purpose("sync", Some("erp")), purpose("chat", Some("crm"))] {
            assert_eq!(bound.clone().for_purpose(other).expect_err("another").reason(), "purpose_fixed");
        }
        assert_eq!(bound.check_unbound().expect_err("bound").reason(), "purpose_fixed");
        principal().check_unbound().expect("free");
    }

    #[test]
    fn a_tool_is_not_added_later_either() {
        let bound = principal().for_purpose(purpose("sync", None)).expect("the first");
        assert_eq!(bound.for_purpose(purpose("sync", Some("crm"))).expect_err("another").reason(), "purpose_fixed");
    }
}
