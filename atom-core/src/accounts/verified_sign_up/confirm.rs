//! The address is proved: the account that waited is made, and its user signed in.

use crate::Result;
use crate::accounts::email_proof::{self, EmailProof, Intent, Shown};
use crate::accounts::sign_in::SignIn;
use crate::accounts::sign_up::{self, Registration};
use crate::accounts::{Client, SignInMethod};
use crate::atom::Inner;

pub(in crate::accounts) async fn run(inner: &Inner, proof: EmailProof) -> Result<SignIn> {
    let EmailProof { flow_token, code, client, .. } = proof;
    let client = client.map(Client::canonical).transpose()?.flatten();
    let shown = Shown { intent: Intent::SignUp, flow: Some(&flow_token), code: &code, user: None };
    let account = email_proof::take(inner, shown).await?.account.ok_or_else(email_proof::spent)?;
    let account = Registration { is_verified: true, ..account };
    Ok(SignIn::SignedIn { session: sign_up::register(inner, account, SignInMethod::Password, client).await? })
}
