package dev.atom

import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Mail that functions of Kotlin send. */
class MailTest {
    private val canary = "canary-of-a-mail"

    private val options
        get() = OpenOptions(
            databaseUrl = "memory:",
            appUrl = "https://acme.example",
            appName = "Acme",
            mailFrom = "Acme <no-reply@acme.example>",
        )

    private fun sent(work: suspend (OutgoingMail) -> String?): MailDelivery = runBlocking {
        val atom = Atom.openWithHooks(options, emptyMap(), mailSender = mailSender(work))
        try {
            atom.mail().sendTest("ada@example.com", MailKind.SIGN_IN_CODE)
        } finally {
            atom.shutDown()
        }
    }

    @Test
    fun `a function sends the mail of an installation`() {
        val mails = mutableListOf<OutgoingMail>()
        val found = sent { mail ->
            delay(5)
            mails.add(mail)
            "post-${mail.id}"
        }
        assertEquals(listOf(MailDeliveryState.SENT, "a***@example.com", "post-${found.id}"), listOf(found.state, found.to, found.receiptId))
        val mail = mails.single()
        assertEquals(listOf(found.id, "ada@example.com", "Your code for Acme"), listOf(mail.id, mail.to, mail.subject))
        assertTrue(mail.text.contains("12345678") && mail.html!!.contains("<html"))
        assertEquals("<${found.id.replace("-", "")}@acme.example>", mail.headers["Message-ID"])
        assertFalse(mail.toString().contains("12345678"))
        assertNull(sent { null }.receiptId)
    }

    class Boiled(message: String) : Exception(message)

    @Test
    fun `what is thrown is told by its class, and an error of ours decides by its kind`() {
        for ((thrown, name) in listOf(Boiled(canary) to "Boiled", NotImplementedError(canary) to "NotImplementedError")) {
            val mail = sent { throw thrown }
            assertEquals(listOf(MailDeliveryState.QUEUED, "mail_sender_failed"), listOf(mail.state, mail.reason))
            assertTrue(mail.explanation!!.contains(name))
            assertFalse(mail.toString().contains(canary))
        }
        val refused = sent { throw AtomException.Provider("mailbox_unknown", "no such mailbox", null, null, null, false) }
        assertEquals(listOf(MailDeliveryState.FAILED, "mailbox_unknown"), listOf(refused.state, refused.reason))
    }

    @Test
    fun `mail that cannot be sent is refused`() {
        val error = assertThrows(AtomException.Unsupported::class.java) {
            runBlocking { Atom.open(options).mail().sendTest("ada@example.com", MailKind.INVITE) }
        }
        assertEquals("mail_not_configured", error.reason)
    }
}
