"""Secrets: not in what is printed, not in what is raised, not in the file."""

import traceback
from pathlib import Path

import pytest

import atom_py

CANARY = "canary-8d1f"
EMAIL, PASSWORD = "ada@example.test", f"{CANARY}-and-thirty-two-more-letters"


@pytest.fixture
def google():
    return atom_py.GoogleStandIn.start_blocking()


@pytest.fixture
def options(google, tmp_path):
    """Makes the options of one and the same installation, with other fields on request."""

    def make(**changes):
        fields = {"key_file": f"{tmp_path}/atom.key", "create_key_file": True, "providers": [google.app]}
        return atom_py.OpenOptions(**{"database_url": f"sqlite:{tmp_path}/atom.db", **fields, **changes})

    return make


def provider_app(google, client_secret):
    app = google.app
    return atom_py.ProviderApp(
        provider=app.provider,
        client_id=app.client_id,
        client_secret=client_secret,
        redirect_uri=app.redirect_uri,
        development_endpoint=app.development_endpoint,
    )


def sign_up(atom):
    return atom.accounts.sign_up_blocking(atom_py.NewAccount(email=EMAIL, password=PASSWORD))


def connect(atom, google, session):
    connections = atom.authenticate_blocking(session.access_token).connections
    authorization = connections.start_blocking(atom_py.StartConnection(provider="google"))
    return connections.complete_blocking(google.approve_blocking(authorization.url, EMAIL))


def keep(atom, session, value, **fields):
    """A service key, and the handle that keeps it."""
    keys = atom.authenticate_blocking(session.access_token).service_keys
    return keys, keys.create_blocking(atom_py.NewServiceKey(service="openai", value=value, hosts=["api.example.test"], **fields))


def shown(error):
    """Everything that a log or a debugger's first look would show of an exception."""
    return "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))


def test_a_record_with_a_secret_prints_its_name_only(google, options):
    atom = atom_py.Atom.open_blocking(options())
    session = sign_up(atom)
    keys, key = keep(atom, session, PASSWORD, exportable=True)
    records = [
        options(key=PASSWORD),
        google.app,
        atom_py.NewAccount(email=EMAIL, password=PASSWORD),
        atom_py.Credentials(email=EMAIL, password=PASSWORD),
        session,
        connect(atom, google, session).access_token_blocking(),
        atom_py.NewServiceKey(service="openai", value=PASSWORD),
        atom_py.ServiceKeyRotation(revision=1, value=PASSWORD),
        keys.reveal_blocking(key.id),
    ]
    for record in records:
        name = f"{type(record).__name__}(…)"
        assert [repr(record), str(record), f"{record}", "%r" % record, str([record])] == [name] * 4 + [f"[{name}]"]


REFUSED = {
    "a wrong password": lambda atom: atom.accounts.sign_in_blocking(atom_py.Credentials(email=EMAIL, password=CANARY)),
    "a weak password": lambda atom: atom.accounts.sign_up_blocking(atom_py.NewAccount(email="b@example.test", password=CANARY)),
    "a taken e-mail": sign_up,
    "a false access token": lambda atom: atom.authenticate_blocking(CANARY),
    "a false refresh token": lambda atom: atom.accounts.refresh_blocking(CANARY),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_a_refused_call_does_not_repeat_the_secret(options, call):
    atom = atom_py.Atom.open_blocking(options())
    sign_up(atom)
    with pytest.raises(atom_py.AtomError) as caught:
        call(atom)
    assert CANARY not in shown(caught.value)


UNOPENED = {
    "a malformed key": {"key": CANARY, "key_file": None},
    "a malformed key among two": {"key": CANARY},
    "a database that is not there": {"database_url": f"postgres://ada:{CANARY}@127.0.0.1:1/atom"},
    "a malformed database URL": {"database_url": f"postgres://ada:{CANARY}@127.0.0.1:port/atom"},
    "an unknown kind of database": {"database_url": f"mysql://ada:{CANARY}@127.0.0.1/atom"},
}


@pytest.mark.parametrize("changes", UNOPENED.values(), ids=UNOPENED)
def test_options_that_are_refused_are_not_repeated(options, changes):
    with pytest.raises(atom_py.AtomError) as caught:
        atom_py.Atom.open_blocking(options(**changes))
    assert CANARY not in shown(caught.value)


def test_a_secret_of_the_wrong_type_is_not_repeated(google):
    for wrong in ([CANARY], CANARY.encode(), {"secret": CANARY}, CANARY + "\ud800"):
        with pytest.raises((TypeError, ValueError)) as caught:
            provider_app(google, wrong)
        assert CANARY not in shown(caught.value)


def test_a_connection_that_fails_repeats_neither_code_nor_token_nor_client_secret(google, options):
    atom = atom_py.Atom.open_blocking(options(providers=[provider_app(google, CANARY)]))
    session = sign_up(atom)
    with pytest.raises(atom_py.AtomError) as refused_by_the_provider:
        connect(atom, google, session)
    with pytest.raises(atom_py.AtomError) as unknown:
        scope = atom.authenticate_blocking(session.access_token)
        scope.connections.complete_blocking(f"{google.app.redirect_uri}?code={CANARY}&state={CANARY}")
    for caught in (refused_by_the_provider, unknown):
        assert CANARY not in shown(caught.value)


def test_a_connection_that_breaks_does_not_repeat_its_token(google, options):
    atom = atom_py.Atom.open_blocking(options())
    connection = connect(atom, google, sign_up(atom))
    token = connection.access_token_blocking().token
    elsewhere = atom_py.RawRequest(method="GET", url=f"https://example.test/?access_token={CANARY}")
    with pytest.raises(atom_py.AtomError) as not_allowed:
        connection.request_blocking(elsewhere)
    google.expire_access_tokens_blocking()
    google.revoke_grants_blocking()
    with pytest.raises(atom_py.ReauthRequiredError) as revoked:
        connection.files.list_blocking(atom_py.ListFiles())
    for caught in (not_allowed, revoked):
        assert token not in shown(caught.value) and CANARY not in shown(caught.value)


def test_a_refused_service_key_does_not_repeat_its_value(options):
    atom = atom_py.Atom.open_blocking(options())
    session = sign_up(atom)
    keys, key = keep(atom, session, PASSWORD)
    elsewhere = atom_py.RawRequest(method="GET", url="https://example.test/")
    for call in (
        lambda: keep(atom, session, PASSWORD),
        lambda: keep(atom, session, f"{CANARY}\n", name="broken"),
        lambda: keys.rotate_blocking(key.id, atom_py.ServiceKeyRotation(revision=7, value=PASSWORD)),
        lambda: keys.request_blocking(key.id, elsewhere),
        lambda: keys.reveal_blocking(key.id),
    ):
        with pytest.raises(atom_py.AtomError) as caught:
            call()
        assert CANARY not in shown(caught.value)
    assert CANARY not in repr(key)


def test_no_secret_is_readable_in_the_database(google, options, tmp_path):
    atom = atom_py.Atom.open_blocking(options())
    session = sign_up(atom)
    secrets = [PASSWORD, session.access_token, session.refresh_token, google.app.client_secret]
    connection = connect(atom, google, session)
    secrets.append(connection.access_token_blocking().token)
    google.expire_access_tokens_blocking()
    connection.files.list_blocking(atom_py.ListFiles())
    secrets.append(connection.access_token_blocking().token)
    secrets.append(f"{CANARY}-of-another-service")
    keep(atom, session, secrets[-1])

    log = Path(tmp_path, "atom.db-wal").read_bytes()
    # Closing the database while SQLite has it open in the same process would lose SQLite's locks on it.
    atom.shut_down_blocking()
    database = Path(tmp_path, "atom.db").read_bytes()
    for stored in (log, database):
        assert EMAIL.encode() in stored, "the search finds what is not sealed"
        assert not [secret for secret in secrets if secret.encode() in stored]
