package main

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rowhook/dbtest"
)

// TestInitTLS: where the server, or WordPress' user, wants TLS, init logs in by it, and so does what it configures.
func TestInitTLS(t *testing.T) { onServers(t, testInitTLS) }

func testInitTLS(t *testing.T, server *dbtest.Server) {
	t.Helper()
	dir := t.TempDir()
	ca := newAuthority(t, dir, "ca")
	cert, key := ca.sign(t, "server", &x509.Certificate{Subject: pkix.Name{CommonName: cloudName}})
	if err := server.Restart(t.Context(), "--ssl-ca="+ca.file, "--ssl-cert="+cert, "--ssl-key="+key); err != nil {
		t.Fatal(err)
	}
	dbtest.Salon(t, server, "wp_shop", "wp_")
	root := installed(t, server, "wp_shop", "wp_", "")
	edit(t, filepath.Join(root, "wp-config.php"), "localhost:"+server.Socket(), server.Address())
	file := filepath.Join(t.TempDir(), "rowhook", "config.yaml")
	args := []string{"--config", file, "--wordpress", root, "--apply"}
	for want, back := range map[string]string{
		"ALTER USER wp_wp_shop@'%' REQUIRE SSL":    "ALTER USER wp_wp_shop@'%' REQUIRE NONE",
		"SET GLOBAL require_secure_transport = ON": "SET GLOBAL require_secure_transport = ON",
	} {
		server.Exec(t, want)
		err := command(t.Context(), append([]string{"init"}, args...), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "--ca-file") || strings.Contains(err.Error(), "database.") {
			t.Errorf("%s, without an authority: %v", want, err)
		}
		server.Exec(t, back)
	}
	if err := server.Restart(t.Context(), "--ssl-ca="+ca.file, "--ssl-cert="+cert, "--ssl-key="+key); err != nil { // a server that does not ask for it
		t.Fatal(err)
	}
	edit(t, filepath.Join(root, "wp-config.php"), "<?php", "<?php\ndefine('MYSQL_CLIENT_FLAGS', MYSQLI_CLIENT_SSL);")
	err := command(t.Context(), append([]string{"init"}, args...), io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "WordPress asks for TLS (MYSQL_CLIENT_FLAGS of "+filepath.Join(root, "wp-config.php")) || !strings.Contains(err.Error(), "--ca-file") {
		t.Errorf("WordPress asks for TLS, without an authority: %v", err)
	}
	initiated(t, append(args, "--ca-file", ca.file)...)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := "tls: {mode: verify-ca, ca_file: " + ca.file + "}"; !strings.Contains(string(text), want) {
		t.Errorf("the configuration lacks %s:\n%s", want, text)
	}
	useStateIn(t, file)
	var checked bytes.Buffer
	if err := command(t.Context(), []string{"check", "--config", file}, &checked, io.Discard); err != nil || !strings.Contains(checked.String(), "a certificate that was verified") {
		t.Errorf("check after init: %v\n%s", err, &checked)
	}
}
