//! Documents that are signed with a private key of the credential (RFC 7519, RFC 7515).

use crate::crypto::{base64url, malformed_key, random, sign_es256, sign_rs256};
use crate::providers::{Algorithm, Assertion, Vars};
use crate::{Error, Result};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// How far the provider's clock may be behind.
const SKEW: i64 = 30;

/// The values for templates, with the members of the document that a field holds.
pub(super) fn expand(assertion: &Assertion, mut vars: Vars) -> Result<Vars> {
    let Some(name) = &assertion.document else { return Ok(vars) };
    let malformed = || {
        let text = format!("`{name}` is not a JSON document: give the whole file as the provider made it");
        Error::invalid("malformed_field", text)
    };
    let text = vars.get(name).and_then(Value::as_str).ok_or_else(malformed)?;
    let document: Value = serde_json::from_str(text).map_err(|_| malformed())?;
    let Value::Object(members) = document else { return Err(malformed()) };
    for (name, value) in members {
        vars.entry(name).or_insert(value);
    }
    Ok(vars)
}

/// A signed document that is good from now on.
pub(super) fn sign(assertion: &Assertion, vars: &Vars, now: DateTime<Utc>) -> Result<String> {
    let Some(Value::Object(mut claims)) = assertion.claims.render(vars) else {
        return Err(Error::invalid("malformed_manifest", "the claims of a signed document are a table"));
    };
    let issued_at = now.timestamp();
    claims.insert("iat".into(), (issued_at - SKEW).into());
    claims.insert("exp".into(), (issued_at + assertion.lifetime - SKEW).into());
    claims.insert("jti".into(), base64url(random::<16>()?).into());
    let name = match assertion.algorithm {
        Algorithm::Rs256 => "RS256",
        Algorithm::Es256 => "ES256",
    };
    let mut header = json!({"alg": name, "typ": "JWT"});
    if let Some(id) = assertion.key_id.as_ref().and_then(|template| template.render(vars, str::to_owned)) {
        header["kid"] = id.into();
    }
    let pem = assertion.private_key.render(vars, str::to_owned).map(Zeroizing::new).ok_or_else(malformed_key)?;
    let signed = format!("{}.{}", base64url(header.to_string()), base64url(Value::Object(claims).to_string()));
    let signature = match assertion.algorithm {
        Algorithm::Rs256 => sign_rs256(&pem, signed.as_bytes())?,
        Algorithm::Es256 => sign_es256(&pem, signed.as_bytes())?,
    };
    Ok(format!("{signed}.{}", base64url(signature)))
}
