"""Key providers of the host: objects with a fingerprint and functions that wrap and unwrap."""

import asyncio
import base64
import hashlib
import hmac
import secrets
import sys
import threading

import pytest

from atom_py import Atom, Credentials, InvalidError, KeychainOptions, NewAccount, OpenOptions, Pkcs11Options, SealedError

KEY = base64.b64encode(bytes(range(32))).decode()
CANARY = "canary-of-a-key"


class Service:
    """A key service in this process: a stream cipher with a MAC, enough to notice what a test breaks."""

    fingerprint = "service:1"

    def __init__(self):
        self.key = secrets.token_bytes(32)
        self.calls = []

    def _crypt(self, data, context):
        pad = hashlib.sha256(self.key + context).digest()
        return bytes(a ^ b for a, b in zip(data, pad))

    def wrap(self, data_key, context):
        self.calls.append(("wrap", threading.current_thread().name))
        body = self._crypt(data_key, context)
        return body + hmac.digest(self.key, body + context, "sha256")

    def unwrap(self, wrapped, context):
        self.calls.append(("unwrap", threading.current_thread().name))
        body, tag = wrapped[:32], wrapped[32:]
        assert hmac.compare_digest(tag, hmac.digest(self.key, body + context, "sha256"))
        return self._crypt(body, context)


class AsyncService(Service):
    async def wrap(self, data_key, context):
        await asyncio.sleep(0.01)
        return super().wrap(data_key, context)

    async def unwrap(self, wrapped, context):
        await asyncio.sleep(0.01)
        return super().unwrap(wrapped, context)


def options(tmp_path, **fields):
    return OpenOptions(database_url=f"sqlite:{tmp_path / 'atom.db'}", **fields)


ADA = {"email": "ada@example.com", "password": "an engine of brass and thought"}


@pytest.mark.parametrize("service", [Service(), AsyncService()], ids=["plain", "coroutine"])
def test_an_installation_is_kept_by_a_key_of_the_host(tmp_path, service):
    async def main():
        async with await Atom.open_with_keys(options(tmp_path), service) as atom:
            await atom.accounts.sign_up(NewAccount(**ADA))
            status = await atom.keys.status()
            assert (status.current, status.wrapping_keys[0].data_keys) == ("service:1", 2)
        async with await Atom.open_with_keys(options(tmp_path), service) as atom:
            session = (await atom.accounts.sign_in(Credentials(**ADA))).session
            await atom.accounts.refresh(session.refresh_token)

    asyncio.run(main())
    names = [name for name, _ in service.calls]
    assert names.count("wrap") == 2 and names.count("unwrap") >= 4, "what is wrapped is tried"


@pytest.mark.parametrize("service", [Service(), AsyncService()], ids=["plain", "coroutine"])
def test_without_an_event_loop_too(tmp_path, service):
    with Atom.open_with_keys_blocking(options(tmp_path), service) as atom:
        atom.accounts.sign_up_blocking(NewAccount(**ADA))
    with Atom.open_with_keys_blocking(options(tmp_path), service) as atom:
        atom.accounts.sign_in_blocking(Credentials(**ADA))
    assert threading.current_thread().name not in {thread for _, thread in service.calls}


def test_an_installation_moves_from_a_local_key_to_one_of_the_host_and_back(tmp_path):
    service = Service()
    with Atom.open_blocking(options(tmp_path, key=KEY)) as atom:
        local = atom.keys.status_blocking().current
        atom.accounts.sign_up_blocking(NewAccount(**ADA))
    with Atom.open_with_keys_blocking(options(tmp_path, accepted_keys=[KEY]), service) as atom:
        rotation = atom.keys.rotate_blocking()
        assert (rotation.current, rotation.rewrapped, rotation.remaining, rotation.retired) == ("service:1", 2, 0, [local])
    with pytest.raises(SealedError) as caught:
        Atom.open_blocking(options(tmp_path, key=KEY))
    assert caught.value.reason == "wrong_key" and "service:1" in str(caught.value)
    with Atom.open_with_keys_blocking(options(tmp_path, key=KEY), accepted_keys=[service]) as atom:
        assert atom.keys.rotate_blocking().retired == ["service:1"]
    with Atom.open_blocking(options(tmp_path, key=KEY)) as atom:
        atom.accounts.sign_in_blocking(Credentials(**ADA))


class Boiled(Exception):
    pass


def raises(data_key, context):
    raise Boiled(CANARY)


async def raises_later(data_key, context):
    raise Boiled(CANARY)


def gives(value):
    return lambda data_key, context: value


BROKEN = {
    "raises": ({"wrap": raises}, "key_provider_failed", "Boiled"),
    "raises in a coroutine": ({"wrap": raises_later}, "key_provider_failed", "Boiled"),
    "gives a text": ({"wrap": gives(CANARY)}, "key_provider_failed", "no bytes"),
    "gives nothing": ({"unwrap": gives(None)}, "key_provider_failed", "no bytes"),
    "gives another key": ({"unwrap": gives(bytes(32))}, "key_provider_failed", "give back"),
    "gives half a key": ({"unwrap": gives(bytes(16))}, "data_key_malformed", "length"),
}


@pytest.mark.parametrize(("functions", "reason", "text"), BROKEN.values(), ids=BROKEN)
def test_what_a_provider_does_wrong_is_an_error_without_its_text(tmp_path, caplog, capfd, functions, reason, text):
    service = Service()
    vars(service).update(functions)
    with pytest.raises(SealedError) as caught:
        Atom.open_with_keys_blocking(options(tmp_path), service)
    assert caught.value.reason == reason and text in str(caught.value)
    printed = "".join(capfd.readouterr())
    assert CANARY not in f"{caught.value}{caught.value!r}{caplog.text}{printed}"
    Atom.open_with_keys_blocking(options(tmp_path), Service()).shut_down_blocking()


def test_a_provider_has_a_fingerprint_and_two_functions(tmp_path):
    class Nameless(Service):
        fingerprint = None

    class Half:
        fingerprint = "half"

        def wrap(self, data_key, context):
            return data_key

    for wrong in [Nameless(), Half(), "service", 5]:
        with pytest.raises(TypeError):
            Atom.open_with_keys_blocking(options(tmp_path), wrong)
    spaced = Service()
    spaced.fingerprint = "two words"
    with pytest.raises(InvalidError) as caught:
        Atom.open_with_keys_blocking(options(tmp_path), spaced)
    assert caught.value.reason == "malformed_fingerprint"


def test_a_key_of_a_module_or_a_keychain_that_is_not_there_is_refused(tmp_path, monkeypatch):
    nowhere = Pkcs11Options(module="/nowhere/module.so", token="atom", pin=CANARY, key="main")
    assert repr(nowhere) == "Pkcs11Options(…)"
    for given in [{"pkcs11": nowhere}, {"key": KEY, "accepted_pkcs11": [nowhere]}]:
        with pytest.raises(SealedError) as caught:
            Atom.open_blocking(options(tmp_path, **given))
        assert caught.value.reason == "no_key" and CANARY not in f"{caught.value}{caught.value!r}"
    with pytest.raises(InvalidError) as caught:
        Atom.open_blocking(options(tmp_path, key=KEY, pkcs11=nowhere))
    assert caught.value.reason == "malformed_option"
    if sys.platform == "linux":
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
        entry = KeychainOptions(service="com.example.notes", account="test", create=True)
        with pytest.raises(SealedError) as caught:
            Atom.open_blocking(options(tmp_path, keychain=entry))
        assert caught.value.reason == "keychain_unavailable"
    assert not list(tmp_path.iterdir()), "no key, no database"
