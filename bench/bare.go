package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"
	"golang.org/x/sync/errgroup"
)

// bare is what rowhook is measured against: the shortest program that posts every change, as one would write it in an
// afternoon. It keeps nothing and promises nothing.
func bare(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bare", flag.ExitOnError)
	address := flags.String("address", "", "the server")
	gtid := flags.String("gtid", "", "where to begin")
	url := flags.String("url", "", "where to post")
	columns := flags.String("columns", "", "the table's columns")
	if err := flags.Parse(args); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(*address)
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return err
	}
	syncer := replication.NewBinlogSyncer(replication.BinlogSyncerConfig{
		ServerID: 77, Flavor: mysql.MariaDBFlavor, Host: host, Port: uint16(n), User: user, Password: password,
		Logger: slog.New(slog.DiscardHandler),
	})
	defer syncer.Close()
	set, err := mysql.ParseMariadbGTIDSet(*gtid)
	if err != nil {
		return err
	}
	streamer, err := syncer.StartSyncGTID(set)
	if err != nil {
		return err
	}
	names := strings.Split(*columns, ",")
	const connections = 16
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}}
	rows := make(chan []any, 1024)
	g, ctx := errgroup.WithContext(ctx)
	for range connections {
		g.Go(func() error {
			for row := range rows {
				if err := post(ctx, client, *url, names, row); err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(rows)
		return read(ctx, streamer, rows)
	})
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// read hands the new image of every update on.
func read(ctx context.Context, streamer *replication.BinlogStreamer, rows chan<- []any) error {
	for {
		ev, err := streamer.GetEvent(ctx)
		if err != nil {
			return err
		}
		e, ok := ev.Event.(*replication.RowsEvent)
		if !ok {
			continue
		}
		for i := 1; i < len(e.Rows); i += 2 { // every second image is the one after
			select {
			case rows <- e.Rows[i]:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// post sends a row as a JSON object, as every receiver wants it.
func post(ctx context.Context, client *http.Client, url string, names []string, row []any) error {
	object := make(map[string]any, len(row))
	for i, v := range row {
		if b, ok := v.([]byte); ok {
			v = string(b)
		}
		object[names[i]] = v
	}
	body, err := json.Marshal(object)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}
