package dev.atom

import java.io.File
import java.lang.reflect.InvocationTargetException
import java.nio.file.Path
import java.util.UUID
import kotlin.reflect.KClass
import kotlin.reflect.KParameter
import kotlin.reflect.full.callSuspendBy
import kotlin.reflect.full.companionObject
import kotlin.reflect.full.companionObjectInstance
import kotlin.reflect.full.memberFunctions
import kotlin.reflect.full.memberProperties
import kotlin.reflect.full.primaryConstructor
import kotlin.reflect.full.valueParameters
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir

internal val testdata = File(System.getProperty("atom.testdata"))

internal fun parse(file: File) = kotlinx.serialization.json.Json.parseToJsonElement(file.readText()).jsonArray.map { it.jsonObject }

/** Plays every scenario of the behaviour suite: its README describes the language. */
class BehaviourTest {
    @TempDir
    lateinit var folder: Path

    @TestFactory
    fun `every scenario plays`(): List<DynamicTest> {
        val scenarios = testdata.resolve("behaviour").listFiles { it.extension == "json" }!!.sorted().flatMap(::parse)
        assertTrue(scenarios.isNotEmpty())
        return scenarios.flatMap { scenario ->
            databases(folder).map { (engine, url) ->
                DynamicTest.dynamicTest("${scenario["name"]!!.jsonPrimitive.content} ($engine)") {
                    runBlocking { Stage(scenario, url).use { it.play() } }
                }
            }
        }
    }
}

/** One scenario on its way: the names it has saved, and the handles it started. */
private class Stage(private val scenario: JsonObject, private val database: String) : AutoCloseable {
    private val unique = UUID.randomUUID().toString().take(8)
    private val names = mutableMapOf<String, Any?>()
    private val reader = Reader(::stoodFor)

    suspend fun play() {
        for (step in scenario["steps"]!!.jsonArray.map { it.jsonObject }) {
            val fails = step["fails"]
            val result = try {
                perform(step)
            } catch (e: AtomException) {
                fails ?: throw e
                compare(fails, plain(e.details()), "the error of $step", ::expected)
                continue
            }
            check(fails == null) { "$step succeeded" }
            step["save"]?.let { names[it.jsonPrimitive.content] = result }
            step["expect"]?.let { compare(it, plain(result), "the result of $step", ::expected) }
        }
    }

    override fun close() = names.values.forEach { if (it is AutoCloseable) it.close() }

    private suspend fun perform(step: JsonObject): Any? {
        val path = (step["get"] ?: return call(step)).jsonPrimitive.content
        return at(path.split('.'))
    }

    private suspend fun call(step: JsonObject): Any? {
        val path = step["call"]!!.jsonPrimitive.content.split('.')
        val owner = at(path.dropLast(1))!!
        return invoke(owner, owner::class, camel(path.last()), step["args"]?.jsonArray ?: JsonArray(listOf()))
    }

    private suspend fun invoke(owner: Any, type: KClass<*>, name: String, args: List<JsonElement>): Any? {
        val method = type.memberFunctions.singleOrNull { it.name == name } ?: error("${type.simpleName} has no $name")
        check(args.size <= method.valueParameters.size) { "$name takes ${method.valueParameters.size} arguments" }
        val given = reader.arguments(method, method.valueParameters.zip(args).toMap())
        return unwrapped { method.callSuspendBy(given + (method.parameters.first { it.kind == KParameter.Kind.INSTANCE } to owner)) }
    }

    /** Starts what a scenario may name without having saved it. */
    private suspend fun start(name: String): Any? = when (name) {
        "probe" -> construct("Probe", "start")
        "google" -> construct("GoogleStandIn", "start")
        "atom" -> construct("Atom", "open", options())
        else -> error("nothing is saved as $name")
    }

    private fun options(): JsonObject {
        val greet = mapOf("\$type" to "JobKind", "name" to "greet", "queue" to "behaviour").mapValues { JsonPrimitive(it.value) }
        val numbers = mapOf("priority" to 2, "max_attempts" to 3).mapValues { JsonPrimitive(it.value) }
        val needs = scenario["needs"]?.jsonArray.orEmpty().map { it.jsonPrimitive.content }
        return JsonObject(
            mapOf(
                "\$type" to JsonPrimitive("OpenOptions"),
                "database_url" to JsonPrimitive(database),
                "key" to JsonPrimitive(key),
                "job_kinds" to JsonArray(listOf(JsonObject(greet + numbers))),
                "passkey_rp_id" to JsonPrimitive("acme.example"),
                "passkey_origins" to JsonArray(listOf(JsonPrimitive("https://acme.example"))),
                "providers" to JsonArray(needs.map { JsonPrimitive("$$it.app") }),
                "sign_in_providers" to JsonArray(needs.map { JsonPrimitive("$$it.sign_in_provider") }),
            ),
        )
    }

    private suspend fun construct(type: String, constructor: String, vararg args: JsonElement): Any? {
        val made = Class.forName("dev.atom.$type").kotlin
        return invoke(made.companionObjectInstance!!, made.companionObject!!, constructor, args.toList())
    }

    private suspend fun at(path: List<String>): Any? {
        val root = if (path[0] in names) names[path[0]] else start(path[0]).also { names[path[0]] = it }
        return path.drop(1).fold(root) { value, part ->
            checkNotNull(value) { "nothing has a $part" }
            val name = camel(part)
            val field = value::class.memberProperties.singleOrNull { it.name == name }
            val method = value::class.memberFunctions.singleOrNull { it.name == name && it.valueParameters.isEmpty() }
            when {
                field != null -> field.getter.call(value)
                method != null -> unwrapped { method.call(value) }
                else -> error("${value::class.simpleName} has no $part")
            }
        }
    }

    private suspend fun stoodFor(text: String): Any? =
        if (text.startsWith("$") && !text.startsWith("\$unique")) at(text.drop(1).split('.')) else text.replace("\$unique", unique)

    /** As [stoodFor], but a text may be data that merely starts with a `$`. */
    private suspend fun expected(text: String): JsonElement =
        if (text.startsWith("$") && text.drop(1).substringBefore('.') !in names) JsonPrimitive(text.replace("\$unique", unique)) else plain(stoodFor(text))
}

private inline fun <T> unwrapped(call: () -> T): T = try {
    call()
} catch (e: InvocationTargetException) {
    throw e.targetException
}
