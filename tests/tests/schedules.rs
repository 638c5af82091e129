//! Random schedules for the pair beside its model: each seed is a script of reads of all kinds, writes, drains,
//! flushes, clones in tasks of their own, halves that start over, and endings, over a transport made difficult.
//!
//! On two workers, where the order is the machine's, clones write messages that tell who wrote them.

use bytes::Bytes;
use highwater_stream::{Pair, StreamWriter, Watermarks};
use highwater_testing::{Chaos, PairCounts, PairScript, check_pair};
use highwater_tests::bounded::{bounded, two_workers};
use highwater_tests::report;
use highwater_tests::schedules::{Random, asked_for, run_all};
use tokio::io::DuplexStream;
use tokio::runtime::Builder;

/// How many write at once on two workers.
const CLONES: u64 = 4;

/// Who, which, how long.
const HEAD: usize = 7;

#[test]
fn what_one_end_writes_is_what_the_other_reads_in_every_schedule() {
    let (first, operations) = asked_for();
    let (counts, schedules) = run_all("schedules", first, operations, PairCounts::operations, run);
    let done = counts.operations();
    report(&format!("schedules: {done} operations in {schedules} from seed {first}, {counts:?}"));
}

#[test]
fn w1_messages_of_clones_on_two_workers_arrive_whole_and_each_clone_s_in_order() {
    let (seed, operations) = asked_for();
    let messages = (operations / 10 / CLONES).clamp(1, 5_000);
    bounded(move || two_workers().block_on(marked(seed, messages)));
    report(&format!("schedules: {messages} messages of each of {CLONES} clones, on two workers"));
}

#[test]
fn a_seed_replays_its_schedule() {
    for seed in 0..20 {
        assert_eq!(run(seed), run(seed));
    }
}

/// The schedule of this seed.
fn run(seed: u64) -> PairCounts {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime of one thread").block_on(check_pair(&PairScript::from_bytes(&bytes_of(seed))))
}

/// Between 40 and 1,040 bytes.
fn bytes_of(seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let length = 40 + random.below(1000);
    (0..length).map(|_| random.below(256) as u8).collect()
}

/// Several clones write so many messages each, and one reader takes them apart.
async fn marked(seed: u64, messages: u64) {
    let (near, far) = tokio::io::duplex(1000);
    let near = Chaos::new(near, seed).most(700);
    let (_unread, writer) = Pair::new(near).watermarks(Watermarks::with_high(500)).split();
    let writing: Vec<_> = (0..CLONES)
        .map(|mark| tokio::spawn(write_marked(writer.clone(), mark, messages, Random(seed ^ mark))))
        .collect();
    let (mut reader, _writer) = highwater_stream::pair(far);
    let mut next = [0; CLONES as usize];
    for _ in 0..messages * CLONES {
        let head = reader.read_exactly(HEAD).await.expect("a message is whole");
        let [mark, a, b, c, d, e, f] = head[..] else { panic!("a head is {HEAD} bytes") };
        let number = u32::from_be_bytes([a, b, c, d]);
        let body = reader.read_exactly(u16::from_be_bytes([e, f]).into()).await.expect("a message is whole");
        assert!(body.iter().all(|byte| *byte == mark), "message {number} of {mark}: {body:?}");
        assert_eq!(number, next[usize::from(mark)], "of {mark}");
        next[usize::from(mark)] += 1;
    }
    for clone in writing {
        clone.await.expect("a clone does not panic");
    }
}

async fn write_marked(
    writer: StreamWriter<Chaos<DuplexStream>>,
    mark: u64,
    messages: u64,
    mut random: Random,
) {
    for number in 0..messages as u32 {
        let body = vec![mark as u8; random.below(100) as usize];
        let head = [&[mark as u8], &number.to_be_bytes()[..], &(body.len() as u16).to_be_bytes()].concat();
        match random.below(3) {
            0 => writer.write_lines([Bytes::from(head), Bytes::from(body)]),
            _ => writer.write([head, body].concat()),
        }
        .expect("nobody ends the stream");
        match random.below(20) {
            0 => writer.flush().await.expect("nothing is lost"),
            1 => tokio::task::yield_now().await,
            _ => writer.drain().await.expect("nothing is lost"),
        }
    }
}
