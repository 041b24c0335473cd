"""Mail senders of the host: any object with a function `send`."""

import asyncio
import threading

import pytest

from atom_py import (
    Atom,
    InvalidError,
    MailDeliveryFilter,
    MailDeliveryState,
    MailKind,
    MailReport,
    MailTemplate,
    OpenOptions,
    ProviderError,
    SmtpOptions,
    UnavailableError,
    UnsupportedError,
)

CANARY = "canary-of-a-mail"
TO = "ada@example.com"


class Post:
    """A mail service in this process."""

    def __init__(self, answer=lambda mail: f"post-{mail.id}"):
        self.answer = answer
        self.mails = []
        self.threads = []

    def send(self, mail):
        self.mails.append(mail)
        self.threads.append(threading.current_thread().name)
        return self.answer(mail)


class AsyncPost(Post):
    async def send(self, mail):
        await asyncio.sleep(0.01)
        return super().send(mail)


def options(**fields):
    given = {"app_url": "https://acme.example", "app_name": "Acme", "mail_from": "Acme <no-reply@acme.example>"}
    return OpenOptions(database_url="memory:", **{**given, **fields})


def opened(post, **fields):
    return Atom.open_with_hooks_blocking(options(**fields), {}, mail_sender=post)


def send(atom, kind=MailKind.SIGN_IN_CODE):
    return atom.mail.send_test_blocking(TO, kind)


@pytest.mark.parametrize("post", [Post(), AsyncPost()])
def test_an_object_sends_the_mail_of_an_installation(post):
    with opened(post) as atom:
        sent = send(atom)
        assert (sent.state, sent.to, sent.receipt_id) == (MailDeliveryState.SENT, "a***@example.com", f"post-{sent.id}")
        [mail] = post.mails
        assert (mail.id, mail.to, mail.kind, mail.sender) == (sent.id, TO, MailKind.SIGN_IN_CODE, "Acme <no-reply@acme.example>")
        assert mail.subject == "Your code for Acme" and "12345678" in mail.text and "<html" in mail.html
        assert mail.headers["Message-ID"] == f"<{sent.id.replace('-', '')}@acme.example>"
        assert "12345678" not in repr(mail)
        assert [found.id for found in atom.mail.list_blocking(MailDeliveryFilter()).items] == [sent.id]
        reported = atom.mail.report_blocking(MailReport(message_id=mail.headers["Message-ID"], reason="5.1.1"))
        assert (reported.state, reported.reason) == (MailDeliveryState.BOUNCED, "5.1.1")


def test_a_coroutine_sends_on_the_loop_where_the_object_was_handed_over():
    post = AsyncPost(lambda mail: None)

    async def main():
        async with await Atom.open_with_hooks(options(), {}, mail_sender=post) as atom:
            sent = await atom.mail.send_test(TO, MailKind.NEW_DEVICE)
            assert (sent.state, sent.receipt_id) == (MailDeliveryState.SENT, None)

    asyncio.run(main())
    assert post.threads == ["MainThread"]


def test_what_is_raised_is_told_by_its_class_and_the_mail_waits():
    def fails(mail):
        raise OSError(CANARY + mail.text)

    with opened(Post(fails)) as atom:
        sent = send(atom)
        assert (sent.state, sent.reason, sent.attempts) == (MailDeliveryState.QUEUED, "mail_sender_failed", 1)
        assert "OSError" in sent.explanation and CANARY not in sent.explanation


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ProviderError("no such mailbox", reason="mailbox_unknown"), MailDeliveryState.FAILED),
        (UnavailableError("come again", reason="service_busy", retryable=True), MailDeliveryState.QUEUED),
    ],
)
def test_an_error_of_atom_decides_by_its_kind(error, state):
    def fails(mail):
        raise error

    with opened(Post(fails)) as atom:
        sent = send(atom)
        assert (sent.state, sent.reason) == (state, error.reason)


@pytest.mark.parametrize("output", [5, b"receipt", {"id": "receipt"}])
def test_what_is_no_text_is_no_receipt(output):
    with opened(Post(lambda mail: output)) as atom:
        assert send(atom).reason == "mail_sender_failed"


def test_an_object_without_the_function_is_refused():
    for wrong in [object(), 5, Post().send]:
        with pytest.raises(TypeError):
            opened(wrong)


def test_a_host_brings_its_own_texts():
    german = MailTemplate(kind=MailKind.SIGN_IN_CODE, locale="de", subject="Ihr Code", text="{{ app_name }}: {{ code }}")
    post = Post()
    with opened(post, mail_templates=[german]) as atom:
        preview = atom.mail.preview_blocking(MailKind.SIGN_IN_CODE, "de-AT")
        assert (preview.locale, preview.subject, preview.text, preview.html) == ("de", "Ihr Code", "Acme: 12345678\n", None)
    broken = MailTemplate(kind=MailKind.SIGN_IN_CODE, locale="de", subject="Ihr Code", text="{{ link }}")
    with pytest.raises(InvalidError) as refused:
        opened(post, mail_templates=[broken])
    assert refused.value.reason == "malformed_mail_template"


def test_one_way_to_send_mail_is_enough():
    with pytest.raises(InvalidError) as refused:
        opened(Post(), smtp=SmtpOptions(host="smtp.acme.example", password=CANARY))
    assert refused.value.reason == "malformed_option"
    assert CANARY not in repr(SmtpOptions(host="smtp.acme.example", password=CANARY))
    with Atom.open_blocking(options()) as atom, pytest.raises(UnsupportedError) as refused:
        send(atom)
    assert refused.value.reason == "mail_not_configured"
