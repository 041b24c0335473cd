package dev.atom

import java.nio.file.Path
import java.time.Instant
import kotlin.io.path.readBytes
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Secrets: not in what is printed, not in what is thrown, not in the file. */
class SecretsTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `a record with a secret prints its name only`() {
        val user = User(id = ID, email = EMAIL, emailVerified = false, createdAt = Instant.EPOCH)
        val workspace = Workspace(id = ID, name = "Ada", createdAt = Instant.EPOCH)
        val app = ProviderApp(provider = "google", clientId = "id", clientSecret = CANARY, redirectUri = "http://127.0.0.1/callback")
        val lease = SecretLease(
            id = ID,
            userId = ID,
            target = SecretTarget.ServiceKey(service = "openai"),
            purpose = Purpose(purpose = "sync"),
            methods = listOf(),
            pathPrefixes = listOf(),
            useCount = 0,
            createdAt = Instant.EPOCH,
            expiresAt = Instant.EPOCH,
            endsAt = Instant.EPOCH,
        )
        val records = listOf(
            app,
            OpenOptions(databaseUrl = "postgres://ada:$CANARY@localhost/atom", key = CANARY, providers = listOf(app)),
            NewAccount(email = EMAIL, password = CANARY),
            Credentials(email = EMAIL, password = CANARY),
            Session(
                id = ID,
                user = user,
                workspace = workspace,
                role = Role.OWNER,
                accessToken = CANARY,
                accessExpiresAt = Instant.EPOCH,
                refreshToken = CANARY,
                refreshExpiresAt = Instant.EPOCH,
            ),
            AccessToken(token = CANARY, scopes = listOf()),
            NewServiceKey(service = "openai", value = CANARY),
            ServiceKeyRotation(revision = 1, value = CANARY),
            RevealedServiceKey(value = CANARY),
            GrantedSecretLease(token = CANARY, lease = lease),
        )
        for (record in records) {
            val name = "${record::class.simpleName}(…)"
            assertEquals(listOf(name, "[$name]", "Optional[$name]"), listOf("$record", "${listOf(record)}", "${java.util.Optional.of(record)}"))
        }
    }

    @Test
    fun `a refused call does not repeat the secret`() = runBlocking {
        open().use { atom ->
            val refused = listOf<suspend () -> Unit>(
                { atom.accounts().signIn(Credentials(email = EMAIL, password = CANARY)) },
                { atom.accounts().signUp(NewAccount(email = EMAIL, password = CANARY)) },
                { atom.accounts().refresh(CANARY) },
                { atom.authenticate(CANARY) },
                { Atom.open(OpenOptions(databaseUrl = "sqlite:$folder/other.db", key = CANARY)) },
                { Atom.open(OpenOptions(databaseUrl = "postgres://ada:$CANARY@127.0.0.1:1/atom", key = key)) },
            )
            for (call in refused) {
                val failure = assertThrows(AtomException::class.java) { runBlocking { call() } }
                assertFalse(CANARY in failure.stackTraceToString() + failure.details(), "${failure.details().reason} repeats it")
            }
        }
    }

    @Test
    fun `no secret is readable in the database`() = runBlocking {
        val google = GoogleStandIn.start()
        val atom = open(google.app())
        val session = atom.accounts().signUp(NewAccount(email = EMAIL, password = PASSWORD))
        val connections = atom.authenticate(session.accessToken).connections()
        val authorization = connections.start(StartConnection(provider = "google"))
        val token = connections.complete(google.approve(authorization.url, EMAIL)).accessToken().token
        val value = "$CANARY-of-another-service"
        atom.authenticate(session.accessToken).serviceKeys().create(NewServiceKey(service = "openai", value = value, exportable = true))
        val secrets = listOf(value, PASSWORD, session.accessToken, session.refreshToken, google.app().clientSecret!!, token)

        val log = folder.resolve("atom.db-wal").readBytes()
        // Closing the database while SQLite has it open in the same process would lose SQLite's locks on it.
        atom.shutDown()
        for (stored in listOf(log, folder.resolve("atom.db").readBytes()).map { it.toString(Charsets.ISO_8859_1) }) {
            assertTrue(EMAIL in stored, "the search finds what is not sealed")
            assertEquals(listOf<String>(), secrets.filter { it in stored })
        }
    }

    private suspend fun open(vararg apps: ProviderApp) =
        Atom.open(OpenOptions(databaseUrl = "sqlite:$folder/atom.db", key = key, providers = apps.toList()))

    private companion object {
        const val CANARY = "canary-8d1f"
        const val EMAIL = "ada@example.test"
        const val PASSWORD = "$CANARY-and-thirty-two-more-letters"
        const val ID = "01890a5d-ac96-774b-bcce-b302099a8057"
    }
}
