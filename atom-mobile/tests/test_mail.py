"""Mail senders through UniFFI's Python bindings: the border that Kotlin and Swift share, without their tools."""

import asyncio

import atom

CANARY = "canary-of-a-mail"
OPTIONS = {"app_url": "https://acme.example", "app_name": "Acme", "mail_from": "Acme <no-reply@acme.example>"}


class Post(atom.MailSender):
    def __init__(self, answer):
        self.answer = answer
        self.mails = []

    async def send(self, mail):
        await asyncio.sleep(0.01)
        self.mails.append(mail)
        return self.answer(mail)


def sent(post):
    async def main():
        # The bindings do not remember on which loop a sender was handed over.
        atom.uniffi_set_event_loop(asyncio.get_running_loop())
        try:
            options = atom.OpenOptions(database_url="memory:", **OPTIONS)
            opened = await atom.Atom.open_with_hooks(options, {}, mail_sender=post)
            mail = await opened.mail().send_test("ada@example.com", atom.MailKind.SIGN_IN_CODE)
            await opened.shut_down()
            return mail
        finally:
            atom.uniffi_set_event_loop(None)

    return asyncio.run(main())


def test_an_object_sends_the_mail_of_an_installation():
    post = Post(lambda mail: f"post-{mail.id}")
    found = sent(post)
    assert (found.state, found.to, found.receipt_id) == (atom.MailDeliveryState.SENT, "a***@example.com", f"post-{found.id}")
    [mail] = post.mails
    assert (mail.id, mail.to, mail.subject) == (found.id, "ada@example.com", "Your code for Acme")
    assert "12345678" in mail.text and mail.headers["Auto-Submitted"] == "auto-generated"
    assert sent(Post(lambda mail: None)).receipt_id is None


def test_what_is_raised_is_told_by_its_class_and_an_error_of_ours_decides_by_its_kind():
    def fails(mail):
        raise OSError(CANARY)

    mail = sent(Post(fails))
    assert (mail.state, mail.reason) == (atom.MailDeliveryState.QUEUED, "mail_sender_failed")
    assert "OSError" in mail.explanation and CANARY not in mail.explanation

    def refuses(mail):
        raise atom.AtomError.Provider(
            reason="mailbox_unknown", text="no such mailbox", provider=None, status=None, retry_after_seconds=None, retryable=False
        )

    mail = sent(Post(refuses))
    assert (mail.state, mail.reason) == (atom.MailDeliveryState.FAILED, "mailbox_unknown")
