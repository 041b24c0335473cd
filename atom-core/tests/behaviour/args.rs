//! What calls of scenarios are given.

use atom_core::*;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The arguments of a call, as plain JSON that serde reads.
pub(super) struct Args(pub(super) std::vec::IntoIter<Value>);

impl Args {
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> T {
        let value = self.0.next().expect("another argument");
        serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{value}: {e}"))
    }

    pub(super) fn secret(&mut self) -> Secret {
        self.next::<String>().into()
    }

    /// Records with secrets cannot be deserialized, on purpose.
    pub(super) fn passkey(&mut self) -> PasskeyCredentials {
        let fields: Map<String, Value> = self.next();
        PasskeyCredentials {
            token: field::<String>(&fields, "token").unwrap().into(),
            answer: field(&fields, "answer").unwrap(),
            workspace_id: field(&fields, "workspace_id"),
            client: field(&fields, "client"),
        }
    }

    pub(super) fn webhook(&mut self) -> NewWebhookEndpoint {
        let fields: Map<String, Value> = self.next();
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        NewWebhookEndpoint {
            url: text("url").unwrap().into(),
            event_names: fields.get("event_names").map(|names| serde_json::from_value(names.clone()).unwrap()),
            key: text("key").map(Secret::from),
            ..Default::default()
        }
    }

    pub(super) fn service_key(&mut self) -> NewServiceKey {
        let fields: Map<String, Value> = self.next();
        NewServiceKey {
            service: field(&fields, "service").unwrap(),
            name: field(&fields, "name"),
            value: field::<String>(&fields, "value").unwrap().into(),
            owner: field(&fields, "owner"),
            placement: field(&fields, "placement"),
            hosts: field(&fields, "hosts"),
            exportable: field(&fields, "exportable"),
            expires_at: field(&fields, "expires_at"),
            rotate_every_days: field(&fields, "rotate_every_days"),
        }
    }

    pub(super) fn rotation(&mut self) -> ServiceKeyRotation {
        let fields: Map<String, Value> = self.next();
        ServiceKeyRotation {
            revision: field(&fields, "revision").unwrap(),
            value: field::<String>(&fields, "value").unwrap().into(),
            grace_seconds: field(&fields, "grace_seconds"),
            expires_at: field(&fields, "expires_at"),
        }
    }

    pub(super) fn workspace_provider(&mut self) -> NewWorkspaceProvider {
        let fields: Map<String, Value> = self.next();
        NewWorkspaceProvider {
            manifest: field(&fields, "manifest").unwrap(),
            client_id: field(&fields, "client_id"),
            client_secret: field::<String>(&fields, "client_secret").map(Secret::from),
        }
    }

    pub(super) fn workspace_provider_patch(&mut self) -> WorkspaceProviderPatch {
        let fields: Map<String, Value> = self.next();
        WorkspaceProviderPatch {
            revision: field(&fields, "revision").unwrap(),
            manifest: field(&fields, "manifest"),
            client_id: field(&fields, "client_id"),
            client_secret: field::<String>(&fields, "client_secret").map(Secret::from),
            no_client_secret: field(&fields, "no_client_secret"),
        }
    }

    pub(super) fn connect_with(&mut self) -> ConnectWith {
        let fields: Map<String, Value> = self.next();
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        let given = fields.get("fields").and_then(Value::as_object).into_iter().flatten();
        ConnectWith {
            provider: text("provider").unwrap(),
            method: text("method"),
            fields: given.map(|(name, value)| (name.clone(), value.as_str().unwrap().into())).collect(),
            scopes: fields.get("scopes").map(|scopes| serde_json::from_value(scopes.clone()).unwrap()),
        }
    }
}

/// A field of a record, if it is there.
pub(super) fn field<T: DeserializeOwned>(fields: &Map<String, Value>, name: &str) -> Option<T> {
    fields.get(name).map(|value| serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{name}: {e}")))
}
