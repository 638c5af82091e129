// Go's bufio over a source in memory: `reader KIND FILE CHUNK PASSES`.
//
// Reads what lies in FILE, PASSES times over, and prints how many records and bytes it saw and the nanoseconds of
// processor time that it took.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"
)

// source copies out what fits, and no more than is left of a chunk.
type source struct {
	block                      []byte
	at, left, chunk, chunkLeft int
}

func (s *source) Read(into []byte) (int, error) {
	count := min(len(into), min(s.chunkLeft, s.left))
	if count == 0 {
		return 0, io.EOF
	}
	for rest := into[:count]; len(rest) > 0; {
		part := copy(rest, s.block[s.at:])
		rest = rest[part:]
		s.at = (s.at + part) % len(s.block)
	}
	s.left -= count
	s.chunkLeft -= count
	if s.chunkLeft == 0 {
		s.chunkLeft = s.chunk
	}
	return count, nil
}

func min(one, other int) int {
	if one < other {
		return one
	}
	return other
}

type done struct{ records, bytes int }

func (d *done) add(bytes int) {
	d.records++
	d.bytes += bytes
}

func slices(reader *bufio.Reader) (seen done) {
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return
		}
		seen.add(len(line))
	}
}

func owned(reader *bufio.Reader) (seen done) {
	for {
		line, err := reader.ReadBytes('\n')
		if err != nil {
			return
		}
		seen.add(len(line))
	}
}

// A lone \n ends no line: what stands before it is kept until the rest is there.
func crlf(reader *bufio.Reader) (seen done) {
	var kept []byte
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return
		}
		if !bytes.HasSuffix(line, []byte("\r\n")) {
			kept = append(kept, line...)
			continue
		}
		if len(kept) > 0 {
			line = append(kept, line...)
			kept = kept[:0]
		}
		seen.add(len(line))
	}
}

func three(reader *bufio.Reader, end func([]byte) int) (seen done) {
	scanner := bufio.NewScanner(reader)
	scanner.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		at := end(data)
		if at < 0 {
			return 0, nil, nil
		}
		return at + 1, data[:at+1], nil
	})
	for scanner.Scan() {
		seen.add(len(scanner.Bytes()))
	}
	return
}

// What ends in \r\n ends in \n: two bytes are to be found.
func threeByIndexAny(reader *bufio.Reader) done {
	return three(reader, func(data []byte) int { return bytes.IndexAny(data, "\n\x00") })
}

// One byte in all there is, and the other only in what stands before it: quick as long as lines are short.
func threeByIndexByte(reader *bufio.Reader) done {
	return three(reader, func(data []byte) int {
		newline := bytes.IndexByte(data, '\n')
		if newline >= 0 {
			data = data[:newline]
		}
		if zero := bytes.IndexByte(data, 0); zero >= 0 {
			return zero
		}
		return newline
	})
}

func frames(reader *bufio.Reader) (seen done) {
	var head [4]byte
	var body []byte
	for {
		if _, err := io.ReadFull(reader, head[:]); err != nil {
			return
		}
		length := int(binary.BigEndian.Uint32(head[:]))
		if cap(body) < length {
			body = make([]byte, length)
		}
		body = body[:length]
		if _, err := io.ReadFull(reader, body); err != nil {
			return
		}
		seen.add(4 + length)
	}
}

func processorTime() int64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func main() {
	kinds := map[string]func(*bufio.Reader) done{
		"slices": slices, "owned": owned, "crlf": crlf, "frames": frames,
		"three-any": threeByIndexAny, "three-byte": threeByIndexByte,
	}
	read := kinds[os.Args[1]]
	block, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	chunk, _ := strconv.Atoi(os.Args[3])
	passes, _ := strconv.Atoi(os.Args[4])
	from := &source{block, 0, len(block) * passes, chunk, chunk - 7}
	before := processorTime()
	seen := read(bufio.NewReaderSize(from, 64*1024))
	fmt.Println(seen.records, seen.bytes, processorTime()-before)
}
