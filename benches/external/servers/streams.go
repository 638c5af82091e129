// Go's bufio as a server.
//
//	streams SERVICE [--every COUNT] [--identity CERTIFICATE KEY]
//
// It binds a port of 127.0.0.1, prints it, and serves until its input ends. The services are those of serve.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
)

const block = 64 * 1024

var line = append(bytes.Repeat([]byte("x"), 63), '\n')

type conversation func(reader *bufio.Reader, writer *bufio.Writer) error

// Flushed when the input that came is used up.
func echo(reader *bufio.Reader, writer *bufio.Writer) error {
	for {
		line, err := reader.ReadSlice('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := writer.Write(line); err != nil {
			return err
		}
		if reader.Buffered() == 0 {
			if err := writer.Flush(); err != nil {
				return err
			}
		}
	}
}

func echoOnce(reader *bufio.Reader, writer *bufio.Writer) error {
	line, err := reader.ReadSlice('\n')
	if err != nil {
		return err
	}
	_, err = writer.Write(line)
	return err
}

func readLines(reader *bufio.Reader, writer *bufio.Writer) error {
	lines, count := 0, 0
	for {
		line, err := reader.ReadSlice('\n')
		if err == io.EOF {
			_, err = fmt.Fprintf(writer, "%d %d\n", lines, count)
			return err
		}
		if err != nil {
			return err
		}
		lines++
		count += len(line)
	}
}

func writeLines(every int) conversation {
	return func(reader *bufio.Reader, writer *bufio.Writer) error {
		count, err := asked(reader)
		for i := 0; err == nil && i < count/every; i++ {
			for j := 0; j < every; j++ {
				if _, err := writer.Write(line); err != nil {
					return err
				}
			}
			err = writer.Flush()
		}
		return err
	}
}

func sink(reader *bufio.Reader, writer *bufio.Writer) error {
	chunk := make([]byte, block)
	blocks, err := asked(reader)
	count := 0
	for err == nil && count < blocks*block {
		var read int
		read, err = reader.Read(chunk)
		count += read
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(writer, "%d\n", count)
	return err
}

func source(reader *bufio.Reader, writer *bufio.Writer) error {
	chunk := bytes.Repeat([]byte("x"), block)
	count, err := asked(reader)
	for i := 0; err == nil && i < count; i++ {
		if _, err = writer.Write(chunk); err == nil {
			err = writer.Flush()
		}
	}
	return err
}

func asked(reader *bufio.Reader) (int, error) {
	line, err := reader.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(bytes.TrimSpace(line)))
}

func serve(listener net.Listener, converse conversation) error {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			writer := bufio.NewWriter(connection)
			err := converse(bufio.NewReader(connection), writer)
			if err == nil {
				err = writer.Flush()
			}
			if err != nil {
				log.Print("a conversation failed: ", err)
			}
		}()
	}
}

func main() {
	every := 100
	var certificate, key string
	for i := 2; i < len(os.Args); i++ {
		switch os.Args[i] {
		case "--every":
			parsed, err := strconv.Atoi(os.Args[i+1])
			if err != nil {
				log.Fatal(err)
			}
			every = parsed
			i++
		case "--identity":
			certificate, key = os.Args[i+1], os.Args[i+2]
			i += 2
		default:
			log.Fatal("unknown: ", os.Args[i])
		}
	}
	services := map[string]conversation{
		"echo":        echo,
		"echo-once":   echoOnce,
		"read-lines":  readLines,
		"write-lines": writeLines(every),
		"sink":        sink,
		"source":      source,
	}
	converse, ok := services[os.Args[1]]
	if !ok {
		log.Fatal("no such service: ", os.Args[1])
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			log.Fatal(err)
		}
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}})
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	log.Fatal(serve(listener, converse))
}
