//! A JavaScript function that other threads ask, and that answers once by a last argument, `settle`.
#![allow(unsafe_code)] // the conversion traits of napi are declared unsafe

use napi::bindgen_prelude::{Function, FunctionCallContext, JsValue, JsValuesTupleIntoVec, Unknown};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, sys};
use std::sync::{Mutex, PoisonError};
use tokio::sync::{oneshot, watch};

/// What a function is asked.
pub(super) trait Question: Send + 'static {
    type Answer: Send + 'static;

    /// The arguments before `settle`, on the thread of JavaScript.
    fn arguments(self, env: sys::napi_env) -> napi::Result<Vec<sys::napi_value>>;

    /// Reads what `settle` was called with.
    fn answer(settled: &FunctionCallContext<'_>) -> napi::Result<Self::Answer>;
}

/// A question on its way.
pub(super) struct Asked<Q: Question> {
    question: Q,
    answer: oneshot::Sender<Q::Answer>,
}

impl<Q: Question> JsValuesTupleIntoVec for Asked<Q> {
    fn into_vec(self, env: sys::napi_env) -> napi::Result<Vec<sys::napi_value>> {
        let answer = Mutex::new(Some(self.answer));
        let env_of_thread = Env::from_raw(env);
        let settle = env_of_thread.create_function_from_closure("settle", move |settled: FunctionCallContext<'_>| {
            if let Some(answer) = answer.lock().unwrap_or_else(PoisonError::into_inner).take() {
                let _ = answer.send(Q::answer(&settled)?);
            }
            Ok(())
        });
        let mut arguments = self.question.arguments(env)?;
        let settle: Function<'_, (), ()> = settle?;
        arguments.push(settle.raw());
        Ok(arguments)
    }
}

/// The function. A `WEAK` one does not keep the process alive: what waits for it does.
pub(super) struct Callback<Q: Question, const WEAK: bool> {
    calls: ThreadsafeFunction<Asked<Q>, Unknown<'static>, Asked<Q>, Status, false, WEAK>,
    /// Closed when the function's thread has ended.
    alive: watch::Receiver<()>,
}

impl<Q: Question, const WEAK: bool> Callback<Q, WEAK> {
    pub(super) fn new(function: &Function<'_, Asked<Q>, Unknown<'static>>) -> napi::Result<Self> {
        let (thread, alive) = watch::channel(());
        let calls = function.build_threadsafe_function::<Asked<Q>>().weak::<WEAK>().build_callback(move |context| {
            let _ = &thread;
            Ok(context.value)
        })?;
        Ok(Self { calls, alive })
    }

    /// Its answer; none if its thread has ended.
    pub(super) async fn ask(&self, question: Q) -> Option<Q::Answer> {
        let (answer, answered) = oneshot::channel();
        let status = self.calls.call(Asked { question, answer }, ThreadsafeFunctionCallMode::NonBlocking);
        let mut alive = self.alive.clone();
        let answered = tokio::select! {
            biased;
            answered = answered => answered.ok(),
            _ = alive.changed() => None,
        };
        answered.filter(|_| status == Status::Ok)
    }
}
