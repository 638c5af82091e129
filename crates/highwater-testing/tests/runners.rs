//! Every cut and every poll find what they are for, and scripts from bytes reach every operation.

use highwater_buffer::{ReadBuffer, Verdict};
use highwater_stream::StreamReader;
use highwater_testing::{
    Cut, Form, Op, Polls, ReadOperation, ReadScript, WriteOperation, WriteScript, at_every_cut,
    at_every_cut_async, at_every_poll, check_reads, check_writes,
};
use std::collections::BTreeSet;
use std::mem::{Discriminant, discriminant};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

fn panic_of(run: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("it is caught");
    let message = panic.downcast_ref::<String>().map(String::as_str);
    message.or(panic.downcast_ref::<&str>().copied()).expect("a message").to_owned()
}

/// It forgets the length when the payload is not there yet.
fn forgetful(buffer: &mut ReadBuffer) -> Result<Verdict<Vec<u8>>, String> {
    let Verdict::Ready(length) = buffer.read_exactly(1).map_err(|error| error.to_string())? else {
        return Ok(Verdict::NeedMore);
    };
    let payload = buffer.read_exactly(length[0].into()).map_err(|error| error.to_string())?;
    Ok(payload.map(|payload| payload.to_vec()))
}

#[test]
fn a_parser_that_forgets_is_caught_at_the_cut() {
    let found = panic_of(|| drop(at_every_cut("\u{2}ab", |parts| parts.parse(forgetful))));
    assert!(found.starts_with("ByteByByte gives"), "{found}");
}

#[test]
fn a_reader_whose_outcome_depends_on_the_cut_is_caught() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let any = async |parts| StreamReader::new(parts).read(10).await.unwrap();
    let found = panic_of(|| drop(runtime.block_on(at_every_cut_async("abc", any))));
    assert!(found.starts_with("ByteByByte gives b\"a\""), "{found}");
}

#[test]
fn cuts_are_complete_and_in_order() {
    let bytes = "0123456789";
    let cuts: Vec<_> = Cut::every(bytes.len()).collect();
    assert_eq!(cuts.len(), 3 + 9);
    for cut in cuts.into_iter().chain([Cut::Sizes(vec![]), Cut::Sizes(vec![0, 4]), Cut::At(0), Cut::At(99)]) {
        let parts: Vec<_> = cut.parts(bytes).collect();
        assert_eq!(parts.concat(), bytes.as_bytes(), "{cut:?}");
        assert!(parts.iter().all(|part| !part.is_empty()), "{cut:?}");
    }
    assert_eq!(Cut::ByteByByte.parts("").count(), 0);
}

#[test]
fn what_is_left_does_not_depend_on_the_cut_after_an_error() {
    let parsed = at_every_cut("ab\ncd\nrest", |parts| {
        parts.parse(|buffer| match buffer.read_exactly(3) {
            Ok(Verdict::Ready(three)) if three == "cd\n" => Err("refused".to_owned()),
            three => three.map_err(|error| error.to_string()),
        })
    });
    assert_eq!((parsed.error.as_deref(), &parsed.rest[..]), (Some("refused"), &b"rest"[..]));
}

#[test]
fn a_parser_that_takes_nothing_ends() {
    let found = panic_of(|| drop(Cut::Whole.parts("a").parse(|_| Ok::<_, ()>(Verdict::Ready(())))));
    assert_eq!(found, "the parser gives messages and takes no bytes");
}

/// A read that takes a byte before it waits loses it when it is dropped there.
#[test]
fn a_future_that_is_not_cancel_safe_is_caught_at_its_poll() {
    let found = panic_of(|| {
        at_every_poll(|polls: Polls| {
            let mut reader = StreamReader::new(Cut::ByteByByte.parts("ab"));
            let hasty = async {
                let first = reader.read_exactly(1).await.unwrap();
                [first, reader.read_exactly(1).await.unwrap()].concat()
            };
            let both = polls.run(hasty, || {});
            let rest = polls_out(reader.read_to_end(10));
            assert_eq!([both.unwrap_or_default(), rest].concat(), b"ab", "given up after {}", polls.most());
        });
    });
    assert!(found.contains("given up after 2"), "{found}");
}

fn polls_out(
    read: impl Future<Output = Result<bytes::Bytes, highwater_stream::LimitedReadError>>,
) -> Vec<u8> {
    let mut read = std::pin::pin!(read);
    loop {
        let polled = read.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
        if let Poll::Ready(rest) = polled {
            return rest.unwrap().to_vec();
        }
    }
}

#[test]
fn every_poll_ends_when_nothing_is_cut() {
    let mut polled = Vec::new();
    let cuts = at_every_poll(|polls| {
        let mut left = 3;
        let waits = std::future::poll_fn(|_| {
            left -= 1;
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        });
        polled.push(polls.run(waits, || {}).is_some());
    });
    assert_eq!((cuts, &polled[..]), (3, &[false, false, false, true][..]));
}

#[test]
fn what_is_not_run_or_never_ends_is_told() {
    let nothing = panic_of(|| {
        at_every_poll(|_| {});
    });
    assert_eq!(nothing, "the scenario gives its polls a future");
    let never = || {
        at_every_poll(|polls| {
            polls.run(std::future::pending::<()>(), || {});
        });
    };
    assert_eq!(panic_of(never), "1000 polls are not enough");
}

/// Bytes that are different enough, without a generator: the digits of a counter that is multiplied on.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..300)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect()
}

fn kinds<T>(all: impl IntoIterator<Item = T>) -> usize {
    let mut kinds: Vec<Discriminant<T>> = Vec::new();
    for one in all {
        let kind = discriminant(&one);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds.len()
}

#[test]
fn bytes_reach_every_operation_in_every_form() {
    let scripts: Vec<_> = (0..300).map(|seed| ReadScript::from_bytes(&bytes(seed))).collect();
    let operations: Vec<_> = scripts.iter().flat_map(|script| script.operations.clone()).collect();
    let reads: Vec<_> = operations
        .iter()
        .filter_map(|operation| match operation {
            ReadOperation::Read(form, call) => Some((*form, call.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(kinds(operations), 11);
    for form in Form::ALL {
        let ops = reads.iter().filter(|(of, _)| *of == form).map(|(_, call)| call.op.clone());
        assert_eq!(kinds(ops), 7, "{form:?}");
    }
    assert!(reads.iter().any(|(_, call)| call.limit.is_some()));
    assert!(reads.iter().any(|(_, call)| call.op == Op::ReadUntil(Vec::new())));
    let limits: BTreeSet<_> = scripts.iter().map(|script| script.limit).collect();
    assert!(limits.contains(&0) && limits.contains(&usize::MAX));

    let writes = (0..100).flat_map(|seed| WriteScript::from_bytes(&bytes(seed)).operations);
    assert_eq!(kinds(writes), 7);
}

#[test]
fn r2_w3_scripts_from_bytes_agree_with_the_models() {
    for seed in 0..200 {
        let bytes = bytes(seed);
        for length in [0, 1, 2, 7, 50, bytes.len()] {
            check_reads(&ReadScript::from_bytes(&bytes[..length]));
            check_writes(&WriteScript::from_bytes(&bytes[..length]));
        }
    }
}

#[test]
fn a_script_may_be_written_by_hand() {
    check_reads(&ReadScript {
        limit: 3,
        operations: vec![
            ReadOperation::FillFrom("abcdef".into()),
            ReadOperation::Read(Form::TwoHalves, Op::ReadLine.into()),
            ReadOperation::Take(100),
            ReadOperation::Release,
        ],
    });
    check_writes(&WriteScript {
        operations: vec![WriteOperation::PushBytes(70_000), WriteOperation::Advance(999)],
    });
}
