//! What an event of Atom's carries: its payload, the types of its fields, and the macro that declares both.

use super::EventFieldType;
use crate::{
    ConnectionId, DataKeyId, EmergencyRequestId, FactorId, IdentityId, InvitationId, JobId, MailId, SecretLeaseId, ServiceKeyId,
    SessionId, SigningKeyId, UserId, WebhookEndpointId, WorkspaceId, WorkspaceProviderId,
};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// The data of one of Atom's events.
pub(crate) trait Payload: Serialize {
    const NAME: &'static str;

    /// What it happened to.
    fn subject(&self) -> String;

    /// The only member whom it concerns.
    fn user(&self) -> Option<UserId>;
}

/// What a Rust type is in an event's data.
pub(super) trait Field {
    const TYPE: EventFieldType;
    const NULLABLE: bool = false;
}

macro_rules! fields {
    ($($rust:ty = $kind:ident),+ $(,)?) => {
        $(impl Field for $rust {
            const TYPE: EventFieldType = EventFieldType::$kind;
        })+
    };
}
fields!(
    ConnectionId = Id,
    DataKeyId = Id,
    EmergencyRequestId = Id,
    FactorId = Id,
    IdentityId = Id,
    InvitationId = Id,
    JobId = Id,
    MailId = Id,
    SecretLeaseId = Id,
    ServiceKeyId = Id,
    SessionId = Id,
    SigningKeyId = Id,
    UserId = Id,
    WebhookEndpointId = Id,
    WorkspaceId = Id,
    WorkspaceProviderId = Id,
    DateTime<Utc> = Text,
    String = Text,
    i64 = Integer,
);

impl<T: Field> Field for Option<T> {
    const TYPE: EventFieldType = T::TYPE;
    const NULLABLE: bool = true;
}

/// One line per event: its name, its payload, the field it is about and, where it concerns one member only, that member's field.
macro_rules! catalogue {
    ($(
        $(#[doc = $about:literal])+
        $name:literal = $payload:ident(about $subject:ident $(, of $user:ident)?) {
            $($(#[doc = $field_about:literal])+ $field:ident: $type:ty,)+
        }
    )+) => {
        $(
            $(#[doc = $about])+
            #[derive(Serialize)]
            pub(crate) struct $payload {
                $($(#[doc = $field_about])+ pub(crate) $field: $type,)+
            }

            impl Payload for $payload {
                const NAME: &'static str = $name;

                fn subject(&self) -> String {
                    self.$subject.to_string()
                }

                fn user(&self) -> Option<UserId> {
                    None$(.or(self.$user.into()))?
                }
            }
        )+

        /// The events of this part.
        pub(super) fn catalogue() -> Vec<EventType> {
            vec![$(EventType {
                name: $name.to_owned(),
                about: concat!($($about),+).trim().to_owned(),
                fields: vec![$(EventField {
                    name: stringify!($field).to_owned(),
                    field_type: <$type as Field>::TYPE,
                    nullable: <$type as Field>::NULLABLE,
                    about: concat!($($field_about),+).trim().to_owned(),
                }),+],
            }),+]
        }
    };
}
pub(in crate::events) use catalogue;
