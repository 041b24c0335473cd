package dev.atom

import java.time.Instant
import java.util.Base64
import kotlin.reflect.KClass
import kotlin.reflect.KFunction
import kotlin.reflect.KParameter
import kotlin.reflect.KType
import kotlin.reflect.full.memberProperties
import kotlin.reflect.full.primaryConstructor
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import org.junit.jupiter.api.Assertions.fail

internal fun camel(snake: String) = snake.replace(Regex("_([a-z0-9])")) { it.groupValues[1].uppercase() }

internal fun snake(camel: String) = camel.replace(Regex("(?<=.)[A-Z]")) { "_" + it.value }.lowercase()

/** Turns the values that a scenario writes into arguments; `text` says what a text stands for. */
internal class Reader(private val text: suspend (String) -> Any?) {
    suspend fun read(written: JsonElement, type: KType): Any? = when (written) {
        is JsonNull -> null
        is JsonPrimitive -> when {
            written.isString -> text(written.content)
            type.classifier == Boolean::class -> written.content.toBooleanStrict()
            type.classifier == Int::class -> written.int
            type.classifier == Long::class -> written.long
            type.classifier == Double::class -> written.double
            else -> error("$written is not a $type")
        }
        is JsonArray -> written.map { read(it, type.arguments[0].type!!) }
        is JsonObject -> when (val special = written.keys.singleOrNull()) {
            "\$date" -> Instant.parse(written[special]!!.jsonPrimitive.content)
            "\$bytes" -> Base64.getDecoder().decode(written[special]!!.jsonPrimitive.content)
            "\$json" -> written[special].toString()
            else -> if ("\$type" in written) model(written) else written.mapValues { read(it.value, type.arguments[1].type!!) }
        }
    }

    /** The arguments of a call, by position or by name; those that are not given take their default. */
    suspend fun arguments(function: KFunction<*>, given: Map<KParameter, JsonElement>): Map<KParameter, Any?> {
        val missing = function.parameters.filter { it !in given && !it.isOptional && it.kind == KParameter.Kind.VALUE }
        check(missing.isEmpty()) { "${function.name} needs ${missing.map { it.name }}" }
        return given.mapValues { (parameter, written) -> read(written, parameter.type) }
    }

    private suspend fun model(written: JsonObject): Any? {
        val name = "dev.atom." + written["\$type"]!!.jsonPrimitive.content
        val variant = written["\$variant"]?.jsonPrimitive?.content ?: return record(Class.forName(name).kotlin, written)
        val constants = Class.forName(name).enumConstants
            ?: return record(Class.forName(name + "$" + camel("_$variant")).kotlin, written)
        return constants.single { (it as Enum<*>).name.lowercase() == variant }
    }

    private suspend fun record(type: KClass<*>, written: JsonObject): Any? {
        type.objectInstance?.let { return it }
        val constructor = type.primaryConstructor!!
        val fields = written.filterKeys { !it.startsWith("$") }.mapKeys { (name, _) ->
            constructor.parameters.singleOrNull { it.name == camel(name) } ?: error("${type.simpleName} has no $name")
        }
        return constructor.callBy(arguments(constructor, fields))
    }
}

/** The plain JSON of a result. Its objects keep Kotlin's names. */
internal fun plain(value: Any?): JsonElement = when (value) {
    null, Unit -> JsonNull
    is Boolean -> JsonPrimitive(value)
    is Number -> JsonPrimitive(value)
    is String -> JsonPrimitive(value)
    is Instant -> JsonPrimitive(value.toString())
    is ByteArray -> JsonPrimitive(Base64.getEncoder().encodeToString(value))
    is Enum<*> -> JsonPrimitive(value.name.lowercase())
    is List<*> -> JsonArray(value.map(::plain))
    is Map<*, *> -> JsonObject(value.entries.associate { (key, item) -> key.toString() to plain(item) })
    else -> {
        val fields = value::class.memberProperties.associate { it.name to plain(it.getter.call(value)) }
        val isVariant = value.javaClass.declaringClass?.kotlin?.isSealed == true
        JsonObject(if (isVariant) fields + ("type" to JsonPrimitive(snake(value.javaClass.simpleName))) else fields)
    }
}

/** Refuses a result that is not the expected one. `text` says what an expected text stands for. */
internal suspend fun compare(expected: JsonElement, found: JsonElement, at: String, text: suspend (String) -> JsonElement) {
    fun require(same: Boolean) {
        if (!same) fail<Unit>("$at: expected $expected, found $found")
    }
    when {
        expected == any -> require(found !is JsonNull)
        // A field of type `Json` is a text on mobile, and nothing but the expectation tells it from other texts.
        found is JsonPrimitive && found.isString && !(expected is JsonPrimitive && expected.isString) -> {
            val parsed = runCatching { kotlinx.serialization.json.Json.parseToJsonElement(found.content) }.getOrNull()
            require(parsed != null && parsed != found)
            compare(expected, parsed!!, at, text)
        }
        expected is JsonObject -> {
            require(found is JsonObject)
            for ((name, value) in expected) {
                val field = (found as JsonObject).let { it[name] ?: it[camel(name)] }
                compare(value, field ?: JsonNull, "$at.$name", text)
            }
        }
        expected is JsonArray -> {
            require(found is JsonArray && found.size == expected.size)
            expected.indices.forEach { compare(expected[it], (found as JsonArray)[it], "$at[$it]", text) }
        }
        expected is JsonPrimitive && expected.isString -> require(found == text(expected.content))
        else -> require(found == expected || found is JsonPrimitive && sameNumber(found, expected as JsonPrimitive))
    }
}

private val any = JsonObject(mapOf("\$any" to JsonPrimitive(true)))

private fun sameNumber(a: JsonPrimitive, b: JsonPrimitive): Boolean {
    val (x, y) = listOf(a, b).map { it.content.toBigDecimalOrNull() ?: return false }
    return x.compareTo(y) == 0
}
