// Checks a fetched ledger with Go's golang.org/x/mod/sumdb, which is not ours: the signature of its checkpoint, every entry in it, and
// that a checkpoint which was kept is the beginning of it. Says how many entries there are, or what is wrong.
//
//	go run ledger_check.go VKEY DIR [KEPT-CHECKPOINT]
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// files are the tiles as they were fetched. What is read from them is believed only as far as the checkpoint says.
type files string

func (files) Height() int { return 8 }

func (files) SaveTiles([]tlog.Tile, [][]byte) {}

func (dir files) ReadTiles(tiles []tlog.Tile) (all [][]byte, err error) {
	for _, tile := range tiles {
		// C2SP tlog-tiles leaves the height out of the name.
		data, err := os.ReadFile(filepath.Join(string(dir), strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func main() {
	if len(os.Args) < 3 {
		stop("a key and a directory are needed")
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(read(os.Args[1]))))
	check(err)
	dir := os.Args[2]
	tree := checkpoint(filepath.Join(dir, "checkpoint"), verifier)
	hashes := tlog.TileHashReader(tree, files(dir))
	var data []byte
	for index := int64(0); index < tree.N; index++ {
		if index%256 == 0 {
			bundle := tlog.Tile{H: 8, L: -1, N: index / 256, W: 256}
			if tree.N-index < 256 {
				bundle.W = int(tree.N - index)
			}
			data = read(filepath.Join(dir, strings.Replace(bundle.Path(), "tile/8/data/", "tile/entries/", 1)))
		}
		if len(data) < 2 || len(data) < 2+int(data[0])<<8+int(data[1]) {
			stop("a bundle ends too early")
		}
		end := 2 + int(data[0])<<8 + int(data[1])
		proof, err := tlog.ProveRecord(tree.N, index, hashes)
		check(err)
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(data[2:end])))
		data = data[end:]
	}
	if len(os.Args) > 3 {
		kept := checkpoint(os.Args[3], verifier)
		proof, err := tlog.ProveTree(tree.N, kept.N, hashes)
		check(err)
		check(tlog.CheckTree(proof, tree.N, tree.Hash, kept.N, kept.Hash))
	}
	fmt.Println(tree.N, "entries are those that", verifier.Name(), "signed for")
}

// checkpoint opens a signed checkpoint.
func checkpoint(path string, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open(read(path), note.VerifierList(verifier))
	check(err)
	var tree tlog.Tree
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		stop("no checkpoint of this ledger")
	}
	_, err = fmt.Sscan(lines[1], &tree.N)
	check(err)
	tree.Hash, err = tlog.ParseHash(lines[2])
	check(err)
	return tree
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	check(err)
	return data
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
