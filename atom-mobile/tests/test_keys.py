"""Key providers through UniFFI's Python bindings: the border that Kotlin and Swift share, without their tools."""

import asyncio
import base64

import atom
import pytest

KEY = base64.b64encode(bytes(range(32))).decode()
CANARY = "canary-of-a-key"


class Service(atom.KeyProvider):
    def __init__(self):
        self.calls = []

    def fingerprint(self):
        return "service:1"

    async def wrap(self, data_key, context):
        self.calls.append("wrap")
        await asyncio.sleep(0.01)
        return bytes(byte ^ context[-1] for byte in data_key)

    async def unwrap(self, wrapped, context):
        self.calls.append("unwrap")
        return bytes(byte ^ context[-1] for byte in wrapped)


def run(main):
    async def with_loop():
        # The bindings do not remember on which loop a provider was handed over.
        atom.uniffi_set_event_loop(asyncio.get_running_loop())
        try:
            return await main()
        finally:
            atom.uniffi_set_event_loop(None)

    return asyncio.run(with_loop())


def options(tmp_path, **fields):
    return atom.OpenOptions(database_url=f"sqlite:{tmp_path}/atom.db", **fields)


def test_an_installation_moves_from_a_local_key_to_one_of_the_host(tmp_path):
    service = Service()
    ada = {"email": "ada@example.com", "password": "an engine of brass and thought"}

    async def main():
        first = await atom.Atom.open(options(tmp_path, key=KEY))
        await first.accounts().sign_up(atom.NewAccount(**ada))
        await first.shut_down()
        both = await atom.Atom.open_with_keys(options(tmp_path, accepted_keys=[KEY]), service)
        rotation = await both.keys().rotate()
        assert (rotation.current, rotation.rewrapped, rotation.remaining) == ("service:1", 2, 0)
        await both.shut_down()
        after = await atom.Atom.open_with_keys(options(tmp_path), service)
        session = (await after.accounts().sign_in(atom.Credentials(**ada))).session
        await after.accounts().refresh(session.refresh_token)
        await after.shut_down()

    run(main)
    assert service.calls.count("wrap") == 2


@pytest.mark.parametrize("error", [ValueError(CANARY), atom.job_error("busy", CANARY)], ids=["any exception", "one of ours"])
def test_what_a_provider_raises_is_an_error_without_its_text(tmp_path, error):
    class Broken(Service):
        async def wrap(self, data_key, context):
            raise error

    with pytest.raises(atom.AtomError.Sealed) as caught:
        run(lambda: atom.Atom.open_with_keys(options(tmp_path), Broken()))
    details = caught.value.details()
    assert details.reason == "key_provider_failed"
    assert ("ValueError" in details.text or "busy" in details.text) and CANARY not in details.text


def test_a_key_of_a_module_that_is_not_there_is_refused(tmp_path):
    nowhere = atom.Pkcs11Options(module="/nowhere/module.so", token="atom", pin=CANARY, key="main")
    with pytest.raises(atom.AtomError.Sealed) as caught:
        run(lambda: atom.Atom.open(options(tmp_path, pkcs11=nowhere)))
    details = caught.value.details()
    assert details.reason == "no_key" and CANARY not in details.text
