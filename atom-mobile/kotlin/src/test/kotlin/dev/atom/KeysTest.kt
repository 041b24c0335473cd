package dev.atom

import java.nio.file.Path
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Key providers of the host. */
class KeysTest {
    @TempDir
    lateinit var folder: Path

    private val key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    private val canary = "canary-of-a-key"

    private fun options(key: String? = null, acceptedKeys: List<String>? = null) =
        OpenOptions(databaseUrl = "sqlite:${folder.resolve("atom.db")}", key = key, acceptedKeys = acceptedKeys)

    private fun mask(bytes: ByteArray, context: ByteArray) =
        ByteArray(bytes.size) { (bytes[it].toInt() xor context[context.size - 1].toInt()).toByte() }

    private val service = keyProvider("service:1", { dataKey, context -> delay(5); mask(dataKey, context) }, { wrapped, context -> mask(wrapped, context) })

    @Test
    fun `an installation moves from a local key to one of the host`(): Unit = runBlocking {
        val password = "an engine of brass and thought"
        Atom.open(options(key)).let {
            it.accounts().signUp(NewAccount(email = "ada@example.com", password = password))
            it.shutDown()
        }
        Atom.openWithKeys(options(acceptedKeys = listOf(key)), service).let {
            val rotation = it.keys().rotate()
            assertEquals(listOf<Any>("service:1", 2L, 0L), listOf(rotation.current, rotation.rewrapped, rotation.remaining))
            it.shutDown()
        }
        Atom.openWithKeys(options(), service).let {
            it.accounts().signIn(Credentials(email = "ada@example.com", password = password))
            it.shutDown()
        }
    }

    class Boiled(message: String) : Exception(message)

    private fun refused(wrap: suspend (ByteArray, ByteArray) -> ByteArray): String {
        val error = assertThrows(AtomException.Sealed::class.java) {
            runBlocking { Atom.openWithKeys(options(), keyProvider("service:1", wrap, { wrapped, context -> mask(wrapped, context) })) }
        }
        assertEquals("key_provider_failed", error.reason)
        assertFalse(error.toString().contains(canary) || error.text.contains(canary))
        return error.text
    }

    @Test
    fun `what a provider throws is an error without its message`() {
        assertTrue(refused { _, _ -> throw Boiled(canary) }.contains("Boiled"))
        assertTrue(refused { _, _ -> throw NotImplementedError(canary) }.contains("NotImplementedError"))
        assertTrue(refused { _, _ -> ByteArray(32) }.contains("give back"))
    }

    @Test
    fun `a key of a module that is not there is refused`() {
        val nowhere = Pkcs11Options(module = "/nowhere/module.so", token = "atom", pin = canary, key = "main")
        assertFalse(nowhere.toString().contains(canary))
        val error = assertThrows(AtomException.Sealed::class.java) {
            runBlocking { Atom.open(OpenOptions(databaseUrl = "memory:", pkcs11 = nowhere)) }
        }
        assertEquals("no_key", error.reason)
        assertFalse(error.toString().contains(canary) || error.text.contains(canary))
    }
}
