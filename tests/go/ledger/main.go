// Verifies a ledger with Go's golang.org/x/mod/sumdb, which is not ours: both checkpoints of a growing ledger, that the older one
// is the beginning of the newer one, and the receipt of an entry. Says "verified", or what is wrong.
//
//	ledger VKEY OLDER-CHECKPOINT CHECKPOINT CONSISTENCY-PROOF RECEIPT ENTRY
//
// Each is a file; the proof is one base64 hash a line.
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) != 7 {
		stop("six files are needed")
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(read(1)))
	check(err)
	oldSize, oldRoot := checkpoint(read(2), verifier)
	size, root := checkpoint(read(3), verifier)
	if lines := strings.TrimSuffix(read(4), "\n"); oldSize > 0 {
		check(tlog.CheckTree(hashes(lines), size, root, oldSize, oldRoot))
	}

	head, signed, _ := strings.Cut(read(5), "\n\n")
	if signed != read(3) {
		stop("the receipt has another checkpoint")
	}
	lines := strings.SplitN(head, "\n", 3)
	if len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		stop("no receipt")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	check(err)
	proof := ""
	if len(lines) == 3 {
		proof = lines[2]
	}
	check(tlog.CheckRecord(hashes(proof), size, root, index, tlog.RecordHash([]byte(read(6)))))
	fmt.Println("verified")
}

// checkpoint verifies a signed checkpoint and gives its size and root.
func checkpoint(text string, verifier note.Verifier) (int64, tlog.Hash) {
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		stop("no checkpoint of this ledger")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return size, root
}

// hashes reads one base64 hash a line.
func hashes(text string) []tlog.Hash {
	var found []tlog.Hash
	for _, line := range strings.Split(text, "\n") {
		if line == "" {
			continue
		}
		bytes, err := base64.StdEncoding.Strict().DecodeString(line)
		check(err)
		var hash tlog.Hash
		if copy(hash[:], bytes) != len(bytes) || len(bytes) != len(hash) {
			stop("no hash: " + line)
		}
		found = append(found, hash)
	}
	return found
}

func read(argument int) string {
	bytes, err := os.ReadFile(os.Args[argument])
	check(err)
	return string(bytes)
}

func check(err error) {
	if err != nil {
		stop(err.Error())
	}
}

func stop(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}
