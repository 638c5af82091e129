//! C2: the race alone, run with attempts that are a number each: when they end, and how.

use super::*;

#[derive(Clone, Copy)]
enum End {
    Connects(u64),
    Fails(u64),
    Never,
}

use End::{Connects, Fails, Never};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const EYEBALLS: Pace = Pace { delay: Some(ms(250)), attempt_timeout: None };
const IN_TURN: Pace = Pace { delay: None, attempt_timeout: None };

/// What happens, with the times, until one has connected or the race is lost.
fn run(pace: Pace, attempts: &[End]) -> String {
    let mut race = Race::new(attempts.len(), pace);
    let mut log = Vec::new();
    let (mut now, mut waits) = (Duration::ZERO, 0);
    let mut ends: Vec<(Duration, usize)> = Vec::new();
    loop {
        assert!(log.len() < 100 && waits < 100, "it goes round: {log:?}");
        let at = now.as_millis();
        let until = match race.next(now) {
            Order::Start(index) => {
                log.push(format!("{at}:start {index}"));
                match attempts[index] {
                    Connects(after) | Fails(after) => ends.push((now + ms(after), index)),
                    Never => {}
                }
                continue;
            }
            Order::GiveUp(index) => {
                log.push(format!("{at}:give up {index}"));
                ends.retain(|(_, running)| *running != index);
                continue;
            }
            Order::Lost => {
                log.push(format!("{at}:lost"));
                break;
            }
            Order::Wait(until) => {
                waits += 1;
                until
            }
        };
        let end = ends.iter().min().copied();
        match end.filter(|(time, _)| until.is_none_or(|until| *time <= until)) {
            None => match until {
                Some(until) => now = until,
                None => {
                    log.push("for ever".into());
                    break;
                }
            },
            Some((time, index)) => {
                now = time;
                ends.retain(|(_, running)| *running != index);
                let at = now.as_millis();
                if let Connects(_) = attempts[index] {
                    log.push(format!("{at}:won {index}"));
                    break;
                }
                log.push(format!("{at}:failed {index}"));
                race.failed(index);
            }
        }
    }
    log.join(" ")
}

/// asyncio: `test_staggered`, by the names of its cases; the rest is RFC 8305 §5.
#[test]
fn c2_who_starts_when() {
    let hurried = |after| Pace { attempt_timeout: Some(ms(after)), ..EYEBALLS };
    for (case, pace, attempts, expected) in [
        ("empty", EYEBALLS, vec![], "0:lost"),
        ("one successful", EYEBALLS, vec![Connects(10), Never], "0:start 0 10:won 0"),
        (
            "first error, second successful",
            EYEBALLS,
            vec![Fails(10), Connects(5)],
            "0:start 0 10:failed 0 10:start 1 15:won 1",
        ),
        (
            "first slow, second successful",
            EYEBALLS,
            vec![Never, Connects(5)],
            "0:start 0 250:start 1 255:won 1",
        ),
        (
            "none successful",
            EYEBALLS,
            vec![Fails(10), Fails(20)],
            "0:start 0 10:failed 0 10:start 1 30:failed 1 30:lost",
        ),
        (
            "several winners: the earliest",
            EYEBALLS,
            vec![Connects(260), Connects(10)],
            "0:start 0 250:start 1 260:won 0",
        ),
        (
            "the slow one may still win",
            EYEBALLS,
            vec![Connects(300), Never, Never],
            "0:start 0 250:start 1 300:won 0",
        ),
        (
            "each starts the delay anew",
            EYEBALLS,
            vec![Never, Never, Connects(0)],
            "0:start 0 250:start 1 500:start 2 500:won 2",
        ),
        (
            "a failure starts the delay anew",
            EYEBALLS,
            vec![Fails(100), Never, Connects(0)],
            "0:start 0 100:failed 0 100:start 1 350:start 2 350:won 2",
        ),
        (
            "the failure of an earlier one, too",
            EYEBALLS,
            vec![Fails(260), Never, Connects(0)],
            "0:start 0 250:start 1 260:failed 0 260:start 2 260:won 2",
        ),
        (
            "a failure at the very time of the delay",
            EYEBALLS,
            vec![Fails(250), Never, Connects(0)],
            "0:start 0 250:failed 0 250:start 1 500:start 2 500:won 2",
        ),
        (
            "the last is waited for",
            EYEBALLS,
            vec![Fails(900), Fails(10)],
            "0:start 0 250:start 1 260:failed 1 900:failed 0 900:lost",
        ),
        ("without an answer or an end", EYEBALLS, vec![Never], "0:start 0 for ever"),
        (
            "in turn",
            IN_TURN,
            vec![Fails(9000), Fails(10), Connects(7)],
            "0:start 0 9000:failed 0 9000:start 1 9010:failed 1 9010:start 2 9017:won 2",
        ),
        ("in turn, behind one that hangs", IN_TURN, vec![Never, Connects(0)], "0:start 0 for ever"),
        (
            "all at once",
            Pace { delay: Some(Duration::ZERO), attempt_timeout: None },
            vec![Never, Never, Connects(3)],
            "0:start 0 0:start 1 0:start 2 3:won 2",
        ),
        (
            "a time-out for each, shorter than the delay",
            hurried(100),
            vec![Never, Never, Connects(5)],
            "0:start 0 100:give up 0 100:start 1 200:give up 1 200:start 2 205:won 2",
        ),
        (
            "a time-out for each, longer than the delay",
            hurried(300),
            vec![Never, Never, Never],
            "0:start 0 250:start 1 300:give up 0 300:start 2 550:give up 1 600:give up 2 600:lost",
        ),
        (
            "an answer at the very end of its time counts",
            hurried(100),
            vec![Connects(100)],
            "0:start 0 100:won 0",
        ),
        (
            "a time-out for each, in turn",
            Pace { attempt_timeout: Some(ms(100)), ..IN_TURN },
            vec![Never, Connects(5)],
            "0:start 0 100:give up 0 100:start 1 105:won 1",
        ),
        (
            "times without end",
            Pace { delay: Some(Duration::MAX), attempt_timeout: Some(Duration::MAX) },
            vec![Fails(10), Never, Connects(0)],
            "0:start 0 10:failed 0 10:start 1 for ever",
        ),
    ] {
        assert_eq!(run(pace, &attempts), expected, "{case}");
    }
}
