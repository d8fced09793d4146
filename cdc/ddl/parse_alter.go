package ddl

import "strings"

// alterTable reads what follows ALTER TABLE.
func (p *parser) alterTable() {
	p.accept("IF", "EXISTS")
	op := Op{Kind: Alter, Table: p.tableName(), Alter: &Alteration{}}
	p.wait()
	var to TableName
	for p.tok.kind != endToken && !p.tok.isMark(";") {
		if p.tok.is("RENAME") && !p.renamesPart() {
			p.advance()
			if p.acceptOneOf("TO", "AS") == "" {
				p.acceptMark("=")
			}
			to = p.tableName()
		} else {
			p.alterClause(op.Alter)
		}
		p.acceptMark(",")
	}
	p.op(op)
	if to != (TableName{}) {
		p.op(Op{Kind: Rename, Table: op.Table, Other: to})
	}
}

// renamesPart says whether RENAME is about a part of a table, not about itself.
func (p *parser) renamesPart() bool {
	next := p.peek()
	return next.is("COLUMN") || next.is("INDEX") || next.is("KEY")
}

// alterClause reads one of the things that ALTER TABLE does.
func (p *parser) alterClause(a *Alteration) {
	switch {
	case p.accept("ADD"):
		p.addClause(a)
	case p.accept("DROP"):
		p.dropClause(a)
	case p.accept("CHANGE"):
		p.accept("COLUMN")
		maybe := p.accept("IF", "EXISTS")
		p.placed(a, columnChange{old: p.name(), maybe: maybe})
	case p.accept("MODIFY"):
		p.accept("COLUMN")
		maybe := p.accept("IF", "EXISTS")
		if p.tok.kind != wordToken && p.tok.kind != nameToken {
			p.fail()
		}
		p.placed(a, columnChange{old: p.tok.text, maybe: maybe})
	case p.accept("RENAME", "COLUMN"):
		r := renamedColumn{maybe: p.accept("IF", "EXISTS"), old: p.name()}
		p.expect("TO")
		r.name = p.name()
		a.renames = append(a.renames, r)
	case p.accept("ALTER"), p.accept("RENAME", "INDEX"), p.accept("RENAME", "KEY"): // defaults, names of indexes
		p.skipClause()
	case p.accept("CONVERT", "TO"):
		p.convertTo(a)
	case p.accept("ENABLE", "KEYS"), p.accept("DISABLE", "KEYS"), p.accept("FORCE"),
		p.accept("WITH", "VALIDATION"), p.accept("WITHOUT", "VALIDATION"),
		p.accept("DISCARD", "TABLESPACE"), p.accept("IMPORT", "TABLESPACE"):
	case p.accept("ALGORITHM"), p.accept("LOCK"):
		p.optionValue()
	case p.accept("PARTITION", "BY"), p.accept("REMOVE", "PARTITIONING"), p.accept("TRUNCATE", "PARTITION"), p.accept("COALESCE", "PARTITION"),
		p.accept("REORGANIZE", "PARTITION"), p.accept("EXCHANGE", "PARTITION"), p.accept("REBUILD", "PARTITION"):
		p.skipAll()
	case p.charsetOption(a):
	case p.tableOption():
	default:
		p.fail()
	}
}

func (p *parser) addClause(a *Alteration) {
	switch {
	case p.accept("PARTITION"):
		p.skipAll()
		return
	case p.accept("COLUMN"):
	case p.indexOrConstraint(a):
		return
	}
	maybe := p.accept("IF", "NOT", "EXISTS")
	if !p.acceptMark("(") {
		p.placed(a, columnChange{maybe: maybe})
		return
	}
	for more := true; more && !p.failed; more = p.acceptMark(",") {
		if p.indexOrConstraint(a) {
			continue
		}
		name := p.name()
		a.columns = append(a.columns, columnChange{def: p.column(name), maybe: maybe})
	}
	p.expectMark(")")
}

// placed reads a column and where it comes to stand.
func (p *parser) placed(a *Alteration, c columnChange) {
	name := p.name()
	c.def = p.column(name)
	switch {
	case p.accept("FIRST"):
		c.first = true
	case p.accept("AFTER"):
		c.after = p.name()
	}
	a.columns = append(a.columns, c)
}

func (p *parser) dropClause(a *Alteration) {
	switch {
	case p.accept("PRIMARY"):
		p.expect("KEY")
		a.dropKey = true
	case p.accept("PARTITION"):
		p.skipAll()
	case p.accept("FOREIGN", "KEY"), p.accept("CHECK"):
		p.skipClause()
	case p.acceptOneOf("INDEX", "KEY", "CONSTRAINT") != "":
		p.accept("IF", "EXISTS")
		a.dropKey = a.dropKey || p.tok.kind == nameToken && isPrimary(p.tok.text)
		p.name()
	default:
		p.accept("COLUMN")
		d := droppedColumn{maybe: p.accept("IF", "EXISTS"), name: p.name()}
		p.acceptOneOf("RESTRICT", "CASCADE")
		a.drops = append(a.drops, d)
	}
}

// isPrimary says whether an index's name is that of primary keys.
func isPrimary(name string) bool { return strings.EqualFold(name, "PRIMARY") }

// convertTo reads the charset that all columns get.
func (p *parser) convertTo(a *Alteration) {
	if !p.accept("CHARACTER", "SET") && !p.accept("CHAR", "SET") && !p.accept("CHARSET") {
		p.fail()
	}
	if a.Charset != "" {
		p.fail()
	}
	a.Charset, a.convert = p.charsetName(), true
	if p.accept("COLLATE") {
		p.acceptMark("=")
		a.Charset = p.collationName()
	}
}

// tableOptions reads what follows the columns of a new table.
func (p *parser) tableOptions(a *Alteration) {
	for p.tok.kind != endToken && !p.tok.isMark(";") {
		switch {
		case p.acceptMark(","), p.charsetOption(a), p.tableOption():
		case p.accept("PARTITION", "BY"):
			p.partitions()
		case p.accept("START", "TRANSACTION"): // MySQL: the rows of CREATE TABLE ... SELECT follow
		default:
			p.fail()
		}
	}
}

// partitions reads the rest of PARTITION BY: words, numbers and parentheses, but no query.
func (p *parser) partitions() {
	for p.tok.kind != endToken && !p.failed {
		switch {
		case p.tok.isMark("("):
			p.parens()
		case p.tok.is("SELECT"), p.tok.is("AS"), p.tok.is("START"), p.tok.is("IGNORE"), p.tok.is("REPLACE"), p.tok.is("TABLE"), p.tok.is("VALUES"), p.tok.is("WITH"):
			p.fail()
		default:
			p.advance()
		}
	}
}

// charsetOption reads the charset or collation that is the default of a table or schema, if it comes next.
func (p *parser) charsetOption(a *Alteration) bool {
	if p.tok.is("DEFAULT") {
		if next := p.peek(); !next.is("CHARACTER") && !next.is("CHAR") && !next.is("CHARSET") && !next.is("COLLATE") {
			return false
		}
		p.advance()
	}
	var charset string
	switch {
	case p.accept("CHARACTER", "SET"), p.accept("CHAR", "SET"), p.accept("CHARSET"):
		p.acceptMark("=")
		charset = p.charsetName()
	case p.accept("COLLATE"):
		p.acceptMark("=")
		charset = p.collationName()
	default:
		return false
	}
	if a.convert {
		p.fail()
	}
	a.Charset = charset
	return true
}

// tableOption reads an option that does not matter, if one comes next.
func (p *parser) tableOption() bool {
	switch p.acceptOneOf("ENGINE", "AUTO_INCREMENT", "COMMENT", "ROW_FORMAT", "KEY_BLOCK_SIZE", "AVG_ROW_LENGTH", "MAX_ROWS", "MIN_ROWS",
		"CHECKSUM", "TABLE_CHECKSUM", "DELAY_KEY_WRITE", "PACK_KEYS", "STATS_AUTO_RECALC", "STATS_PERSISTENT", "STATS_SAMPLE_PAGES", "COMPRESSION", "ENCRYPTION",
		"INSERT_METHOD", "PAGE_CHECKSUM", "PAGE_COMPRESSED", "PAGE_COMPRESSION_LEVEL", "TRANSACTIONAL", "ENCRYPTED", "ENCRYPTION_KEY_ID",
		"CONNECTION", "AUTOEXTEND_SIZE", "ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE", "DATA", "INDEX") {
	case "":
		return false
	case "DATA", "INDEX":
		p.expect("DIRECTORY")
	}
	p.optionValue()
	return true
}

// optionValue reads the value of an option.
func (p *parser) optionValue() {
	p.acceptMark("=")
	switch p.tok.kind {
	case wordToken, nameToken, stringToken, numberToken:
		p.advance()
	default:
		p.fail()
	}
}
