//! Identifiers: one type per thing, so that a user's id never lands where a connection's is meant.

use atom_macros::id;

/// A user of the installation.
#[id]
pub struct UserId;

/// A workspace: the tenant.
#[id]
pub struct WorkspaceId;

/// A signed-in session of a user.
#[id]
pub struct SessionId;

/// An account at a provider that a user signs in with.
#[id]
pub struct IdentityId;

/// An invitation into a workspace.
#[id]
pub struct InvitationId;

/// A second factor of a user's.
#[id]
pub struct FactorId;

/// One account of one user at one provider.
#[id]
pub struct ConnectionId;

/// A provider that a workspace brings.
#[id]
pub struct WorkspaceProviderId;

/// A connection that begins with a code that the user types elsewhere.
#[id]
pub struct DeviceFlowId;

/// An API key of another service.
#[id]
pub struct ServiceKeyId;

/// A request for a secret in an emergency.
#[id]
pub struct EmergencyRequestId;

/// The right to make calls with a secret for a while.
#[id]
pub struct SecretLeaseId;

/// A job, from the moment it is enqueued.
#[id]
pub struct JobId;

/// An event, wherever it is delivered.
#[id]
pub struct EventId;

/// An address that a workspace's events are sent to.
#[id]
pub struct WebhookEndpointId;

/// One event on its way to one endpoint.
#[id]
pub struct WebhookDeliveryId;

/// A mail that Atom sends.
#[id]
pub struct MailId;

/// A key that seals the records of a workspace.
#[id]
pub struct DataKeyId;

/// A key that signs access tokens.
#[id]
pub struct SigningKeyId;

/// The plain Rust side of an id; the bridges add theirs.
macro_rules! impl_id {
    ($name:ident) => {
        impl $name {
            /// A new id. Ids of one process sort by the time they were made (UUIDv7).
            pub fn generate() -> Self {
                Self(::uuid::Uuid::now_v7())
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::Error;
            fn from_str(text: &str) -> ::std::result::Result<Self, $crate::Error> {
                ::uuid::Uuid::try_parse(text).map(Self).map_err(|_| {
                    $crate::Error::invalid(
                        "malformed_id",
                        concat!("not a ", stringify!($name), ": pass the id as Atom returned it (a UUID)"),
                    )
                })
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, s: S) -> ::std::result::Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(d: D) -> ::std::result::Result<Self, D::Error> {
                <String as ::serde::Deserialize>::deserialize(d)?.parse().map_err(::serde::de::Error::custom)
            }
        }

        $crate::bridge::string_like!($name, |text: String| text.parse::<$name>(), |id: $name| id.to_string());
    };
}
pub(crate) use impl_id;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form_and_a_malformed_one_is_refused() {
        let id = UserId::generate();
        assert_eq!(id.to_string().parse::<UserId>().expect("its own text"), id);
        assert_eq!("users/1".parse::<UserId>().expect_err("not a UUID").reason(), "malformed_id");
    }
}
