import Atom
import Foundation
import XCTest

final class AtomTests: XCTestCase {
    func testASampleComesBackUnchanged() async throws {
        let sample = Sample(
            text: "naïve – 東京 🌍",
            count: -9_007_199_254_740_991,
            ratio: 0.1,
            flag: true,
            at: Date(timeIntervalSince1970: 1_795_248_000),
            connection: "01890a5d-ac96-774b-bcce-b302099a8057",
            weight: .veryHeavy,
            shape: .circle(radius: 1.5),
            tags: ["a", ""],
            labels: ["colour": "red"],
            raw: #"{"deep":[1,null]}"#,
            content: Data([0, 1, 2, 3, 4])
        )
        let echoed = try await Probe.start().echo(sample: sample)
        XCTAssertEqual(echoed, sample)
    }

    func testAFailureSaysWhatToDo() async throws {
        let probe = try await Probe.start()
        do {
            try await probe.fail(code: "rate_limited")
            XCTFail("it succeeded")
        } catch let error as AtomError {
            guard case .RateLimited = error else { return XCTFail("it failed with \(error)") }
            let details = error.details()
            XCTAssertEqual(details.code, "rate_limited")
            XCTAssertEqual(details.retryAfterSeconds, 1.5)
            XCTAssertTrue(details.retryable)
            XCTAssertEqual("\(error)", "rate_limited/probe: rate_limited on purpose")
        }
    }

    func testAnUnknownCodeIsRefused() async throws {
        let probe = try await Probe.start()
        do {
            try await probe.fail(code: "nonsense")
            XCTFail("it succeeded")
        } catch let error as AtomError {
            XCTAssertEqual(error.details().reason, "unknown_code")
        }
    }

    func testCallsRunAtTheSameTime() async throws {
        let probe = try await Probe.start()
        let start = Date()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask { try await probe.wait(millis: 200) }
            }
            try await group.waitForAll()
        }
        XCTAssertLessThan(Date().timeIntervalSince(start), 10)
    }

    func testAFunctionRunsJobs() async throws {
        let handlers = ["test": jobHandler { job in job.input() }]
        let trial = Trial(kind: "test", input: "[1]", jobs: 3)
        let outcomes = try await Probe.start().run(handlers: handlers, trial: trial)
        XCTAssertEqual(outcomes.map(\.output), ["[1]", "[1]", "[1]"])
    }

    func testAHandlerSaysHowTheAttemptFailed() async throws {
        let handlers = ["test": jobHandler { _ in throw jobError(reason: "busy", text: "later", retryAfterSeconds: 90) }]
        let trial = Trial(kind: "test", input: "null", jobs: 1)
        let outcomes = try await Probe.start().run(handlers: handlers, trial: trial)
        XCTAssertEqual(outcomes, [TrialOutcome(output: nil, reason: "busy", text: "later", retryable: true, retryAfter: 90)])
    }

    func testAStreamIsIterated() async throws {
        var sum: Int64 = 0
        for try await number in try await Probe.start().countTo(last: 4, failsAt: nil) {
            sum += number
        }
        XCTAssertEqual(sum, 10)
    }
}
