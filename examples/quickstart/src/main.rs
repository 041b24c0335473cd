//! The main job of Atom from beginning to end: a user, a connected account, its files, an expired token, a sealed row.
//!
//! ```text
//! cargo run -p quickstart                       with a stand-in for Google that this program starts
//! cargo run -p quickstart -- --provider google  with Google itself (GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET: a "Desktop app" client)
//! cargo run -p quickstart -- --race 4 50        four processes of fifty callers find a token expired: one of them asks the provider
//! ```
//!
//! It leaves `atom.db` and `atom.key` in the current folder; run it again and the same user and connection are found.
#![allow(clippy::print_stdout)] // this is a program that tells what it does

mod loopback;
mod race;

use atom_core::testing::GoogleStandIn;
use atom_core::{
    Atom, Bytes, Connection, Credentials, ErrorKind, ListFiles, LocalKey, NewAccount, NewFile, ProviderApp, Scope, Session,
    StartConnection,
};
use loopback::Loopback;
use std::path::Path;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const DATABASE: &str = "sqlite:./atom.db";
const KEY_FILE: &str = "./atom.key";
const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "an engine of brass and thought";

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let stand_in = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Some(GoogleStandIn::start().await?),
        ["--provider", "google"] => None,
        ["--race"] => return race::run(4, 50).await,
        ["--race", processes, callers] => return race::run(processes.parse()?, callers.parse()?).await,
        ["--racer", ..] => return race::racer(&arguments[1..]).await,
        _ => return Err("usage: quickstart [--provider google | --race [PROCESSES CALLERS]]".into()),
    };

    let browser = Loopback::bind().await?;
    let app = match &stand_in {
        Some(google) => {
            println!("1. Google      a stand-in listens on {}", google.url());
            ProviderApp { redirect_uri: browser.redirect_uri.clone(), ..google.app() }
        }
        None => {
            println!("1. Google      the real one");
            google_app(&browser.redirect_uri)?
        }
    };

    let key = if Path::new(KEY_FILE).exists() { LocalKey::from_file(KEY_FILE)? } else { LocalKey::create_file(KEY_FILE)? };
    let atom = Atom::builder(DATABASE).key(key).provider(app).open().await?;
    println!("2. Atom        opened {DATABASE} with the key in {KEY_FILE}");

    let session = sign_up_or_in(&atom).await?;
    println!("3. User        {} in workspace \"{}\", role {}", session.user.email, session.workspace.name, session.role.as_str());

    let scope = atom.authenticate(session.access_token).await?;
    let connection = connect(&scope, &browser, stand_in.as_ref()).await?;
    let account = connection.account().await?;
    println!(
        "4. Connection  {} ({}), {} scopes granted",
        account.email.as_deref().unwrap_or("?"),
        account.state.as_str(),
        account.scopes.len()
    );

    let content = Bytes::from("A note that was written through Atom.".as_bytes());
    let note = NewFile { name: "note from atom.txt".into(), content, mime_type: Some("text/plain".into()), ..Default::default() };
    let stored = connection.files().upload(note).await?;
    let size = connection.files().download(stored.id).await?.0.len();
    println!("5. Upload      \"{}\", {size} bytes, read back", stored.name);

    if let Some(google) = &stand_in {
        google.expire_access_tokens().await?;
        println!("6. Expiry      every access token has just died");
    }
    let before = connection.access_token().await?;
    let files = connection.files().list(ListFiles { page_size: Some(10), ..Default::default() }).await?;
    let after = connection.access_token().await?;
    let renewed = if before.token == after.token { "with the same token" } else { "with a token that was renewed on the way" };
    println!("7. Files       {} listed, {renewed}:", files.items.len());
    for file in files.items.iter().take(5) {
        println!("               - {}", file.name);
    }

    // Only now: closing a file that SQLite has open would drop its locks (https://www.sqlite.org/howtocorrupt.html).
    atom.shut_down().await?;
    let sealed = sealed_row().await?;
    let database = std::fs::read("./atom.db")?;
    let leaked = database.windows(after.token.expose().len()).any(|w| w == after.token.expose().as_bytes());
    println!("8. At rest     the token row is {} sealed bytes: {}…", sealed.len() / 2, &sealed[..48]);
    println!(
        "               the token itself is {} in the {} bytes of atom.db",
        if leaked { "READABLE" } else { "nowhere" },
        database.len()
    );
    Ok(())
}

async fn sign_up_or_in(atom: &Atom) -> Outcome<Session> {
    let account =
        NewAccount { email: EMAIL.into(), password: PASSWORD.into(), display_name: Some("Ada".into()), ..Default::default() };
    match atom.accounts().sign_up(account).await {
        Err(error) if error.kind() == ErrorKind::Conflict => {
            let credentials = Credentials { email: EMAIL.into(), password: PASSWORD.into(), ..Default::default() };
            Ok(atom.accounts().sign_in(credentials).await?.signed_in()?)
        }
        session => Ok(session?),
    }
}

/// The consent, from the provider's page back to our redirect URI.
async fn connect(scope: &Scope, browser: &Loopback, stand_in: Option<&GoogleStandIn>) -> Outcome<Connection> {
    let request = StartConnection { provider: "google".into(), services: Some(vec!["drive".into()]), ..Default::default() };
    let authorization = scope.connections().start(request).await?;
    let callback = match stand_in {
        Some(google) => {
            let redirect = google.approve(authorization.url, EMAIL.into()).await?;
            let (caught, visited) = tokio::join!(browser.catch(), loopback::visit(&redirect));
            visited?;
            caught?
        }
        None => {
            println!("               open this page and agree:\n\n{}\n", authorization.url);
            open_in_browser(&authorization.url);
            browser.catch().await?
        }
    };
    Ok(scope.connections().complete(callback).await?)
}

fn google_app(redirect_uri: &str) -> Outcome<ProviderApp> {
    let variable =
        |name: &str| std::env::var(name).map_err(|_| format!("set {name} to the one of a \"Desktop app\" OAuth client"));
    Ok(ProviderApp {
        provider: "google".into(),
        client_id: variable("GOOGLE_CLIENT_ID")?,
        client_secret: Some(variable("GOOGLE_CLIENT_SECRET")?.into()),
        redirect_uri: redirect_uri.into(),
        // This program compares tokens. Most have no need to see them.
        export_tokens: Some(true),
        ..Default::default()
    })
}

/// Tries to open a page. The URL is an argument, never part of a shell command; if nothing opens, the person uses the printed one.
fn open_in_browser(url: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let _ = std::process::Command::new(opener).arg(url).spawn();
}

/// The newest row of stored tokens, as anyone who has the file sees it.
async fn sealed_row() -> Outcome<String> {
    use sqlx::Connection as _;
    let mut file = sqlx::SqliteConnection::connect(DATABASE).await?;
    let (sealed,): (String,) = sqlx::query_as("SELECT lower(hex(sealed)) FROM atom_token_sets ORDER BY updated_at DESC LIMIT 1")
        .fetch_one(&mut file)
        .await?;
    Ok(sealed)
}
