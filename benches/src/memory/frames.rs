//! A length in four bytes, and so many bytes.

use super::codecs::decode;
use super::{Done, Load, Work, bounds, wait};
use crate::CHUNK;
use crate::messages::frames;
use futures::io::AsyncReadExt as _;
use highwater_stream::StreamReader;
use std::hint::black_box;
use std::io::Read as _;
use tokio::io::AsyncReadExt as _;
use tokio_util::codec::LengthDelimitedCodec;

pub(super) fn works() -> [Work; 3] {
    [100, 4096, 1024 * 1024].map(|length| {
        Work::new(format!("frame/{length}"), Load::new(&frames(length), 1))
            .ours("highwater read_exactly_ref", borrowed)
            .ours("highwater read_exactly", owned)
            .peer("tokio read_exact, 64 KiB", |load| read_exact(load, CHUNK))
            .peer("tokio read_exact, 8 KiB", |load| read_exact(load, 8 * 1024))
            .peer("LengthDelimitedCodec", |load| {
                decode(load, LengthDelimitedCodec::new(), |frame| frame.len() + 4)
            })
            .peer("futures read_exact", futures_read_exact)
            .bound("std read_exact", std_read_exact)
            .bound("copy", bounds::copy)
    })
}

fn length(head: &[u8]) -> usize {
    u32::from_be_bytes(head.try_into().expect("four bytes were asked for")) as usize
}

fn borrowed(load: &Load) -> Done {
    wait(async {
        let mut reader = StreamReader::new(load.source());
        let mut done = Done::default();
        while let Ok(head) = reader.read_exactly_ref(4).await {
            let length = length(head);
            let body = reader.read_exactly_ref(length).await.expect("the body is there");
            done.add(black_box(body).len() + 4);
        }
        done
    })
}

fn owned(load: &Load) -> Done {
    wait(async {
        let mut reader = StreamReader::new(load.source());
        let mut done = Done::default();
        while let Ok(head) = reader.read_exactly_ref(4).await {
            let length = length(head);
            let body = reader.read_exactly(length).await.expect("the body is there");
            done.add(black_box(body).len() + 4);
        }
        done
    })
}

fn read_exact(load: &Load, capacity: usize) -> Done {
    wait(async {
        let mut reader = tokio::io::BufReader::with_capacity(capacity, load.source());
        let (mut body, mut done) = (Vec::new(), Done::default());
        while let Ok(length) = reader.read_u32().await {
            body.resize(length as usize, 0);
            reader.read_exact(&mut body).await.expect("the body is there");
            done.add(black_box(&body).len() + 4);
        }
        done
    })
}

fn futures_read_exact(load: &Load) -> Done {
    wait(async {
        let mut reader = futures::io::BufReader::with_capacity(CHUNK, load.source());
        let (mut head, mut body, mut done) = ([0; 4], Vec::new(), Done::default());
        while reader.read_exact(&mut head).await.is_ok() {
            body.resize(length(&head), 0);
            reader.read_exact(&mut body).await.expect("the body is there");
            done.add(black_box(&body).len() + 4);
        }
        done
    })
}

fn std_read_exact(load: &Load) -> Done {
    let mut reader = std::io::BufReader::with_capacity(CHUNK, load.source());
    let (mut head, mut body, mut done) = ([0; 4], Vec::new(), Done::default());
    while reader.read_exact(&mut head).is_ok() {
        body.resize(length(&head), 0);
        reader.read_exact(&mut body).expect("the body is there");
        done.add(black_box(&body).len() + 4);
    }
    done
}
