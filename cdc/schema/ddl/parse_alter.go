package ddl

import (
	"strings"

	"rowhook/sqltext"
)

// alterTable reads what follows ALTER TABLE.
func (p *parser) alterTable() {
	p.Accept("IF", "EXISTS")
	op := Op{Kind: Alter, Table: p.tableName(), Alter: &Alteration{}}
	p.wait()
	var to TableName
	for p.Tok.Kind != sqltext.End && !p.Tok.IsMark(";") {
		if p.Tok.Is("RENAME") && !p.renamesPart() {
			p.Advance()
			if p.AcceptOneOf("TO", "AS") == "" {
				p.AcceptMark("=")
			}
			to = p.tableName()
		} else {
			p.alterClause(op.Alter)
		}
		p.AcceptMark(",")
	}
	p.op(op)
	if to != (TableName{}) {
		p.op(Op{Kind: Rename, Table: op.Table, Other: to})
	}
}

// renamesPart says whether RENAME is about a part of a table, not about itself.
func (p *parser) renamesPart() bool {
	next := p.Peek()
	return next.Is("COLUMN") || next.Is("INDEX") || next.Is("KEY")
}

// alterClause reads one of the things that ALTER TABLE does.
func (p *parser) alterClause(a *Alteration) {
	switch {
	case p.Accept("ADD"):
		p.addClause(a)
	case p.Accept("DROP"):
		p.dropClause(a)
	case p.Accept("CHANGE"):
		p.Accept("COLUMN")
		maybe := p.Accept("IF", "EXISTS")
		p.placed(a, columnChange{old: p.Name(), maybe: maybe})
	case p.Accept("MODIFY"):
		p.Accept("COLUMN")
		maybe := p.Accept("IF", "EXISTS")
		if !p.Tok.IsName() {
			p.Fail()
		}
		p.placed(a, columnChange{old: p.Tok.Text(), maybe: maybe})
	case p.Accept("RENAME", "COLUMN"):
		r := renamedColumn{maybe: p.Accept("IF", "EXISTS"), old: p.Name()}
		p.Expect("TO")
		r.name = p.Name()
		a.renames = append(a.renames, r)
	case p.Accept("ALTER"), p.Accept("RENAME", "INDEX"), p.Accept("RENAME", "KEY"): // defaults, names of indexes
		p.skipClause()
	case p.Accept("CONVERT", "TO"):
		p.convertTo(a)
	case p.Accept("ENABLE", "KEYS"), p.Accept("DISABLE", "KEYS"), p.Accept("FORCE"),
		p.Accept("WITH", "VALIDATION"), p.Accept("WITHOUT", "VALIDATION"),
		p.Accept("DISCARD", "TABLESPACE"), p.Accept("IMPORT", "TABLESPACE"), p.Accept("UPGRADE", "PARTITIONING"),
		p.AcceptOneOf("SECONDARY_LOAD", "SECONDARY_UNLOAD") != "":
	case p.Accept("ORDER", "BY"):
		p.orderList()
	case p.Accept("ALGORITHM"), p.Accept("LOCK"):
		p.optionValue()
	case p.Accept("PARTITION", "BY"), p.Accept("REMOVE", "PARTITIONING"), p.partitionWork():
		p.rest()
	case p.charsetOption(a):
	case p.tableOption():
	default:
		p.Fail()
	}
}

// partitionWork says whether something is done to partitions that leaves all columns as they are.
func (p *parser) partitionWork() bool {
	for _, work := range []string{
		"ANALYZE", "CHECK", "COALESCE", "DISCARD", "EXCHANGE", "IMPORT", "OPTIMIZE", "REBUILD", "REORGANIZE", "REPAIR", "TRUNCATE",
	} {
		if p.Accept(work, "PARTITION") {
			return true
		}
	}
	return false
}

// orderList reads the columns by which rows are put in order. What follows a comma may be another clause.
func (p *parser) orderList() {
	for {
		p.columnName()
		p.AcceptOneOf("ASC", "DESC")
		if !p.Tok.IsMark(",") {
			return
		}
		ahead := *p.Cursor
		ahead.Advance()
		named := ahead.Tok.IsName()
		ahead.Advance()
		switch end := ahead.Tok; {
		case !named:
			return
		case end.Kind == sqltext.End, end.IsMark(","), end.IsMark(";"), end.IsMark("."), end.Is("ASC"), end.Is("DESC"):
			p.Advance()
		default:
			return
		}
	}
}

// columnName steps over a column's name, perhaps with its table's.
func (p *parser) columnName() {
	for p.Name(); p.AcceptMark("."); {
		p.Name()
	}
}

func (p *parser) addClause(a *Alteration) {
	switch {
	case p.Accept("PARTITION"):
		p.rest()
		return
	case p.Accept("COLUMN"):
	case p.indexOrConstraint(a):
		return
	}
	maybe := p.Accept("IF", "NOT", "EXISTS")
	if !p.AcceptMark("(") {
		p.placed(a, columnChange{maybe: maybe})
		return
	}
	for more := true; more && !p.Failed; more = p.AcceptMark(",") {
		if p.indexOrConstraint(a) {
			continue
		}
		name := p.Name()
		a.columns = append(a.columns, columnChange{def: p.column(name), maybe: maybe})
	}
	p.ExpectMark(")")
}

// placed reads a column and where it comes to stand.
func (p *parser) placed(a *Alteration, c columnChange) {
	name := p.Name()
	c.def = p.column(name)
	switch {
	case p.Accept("FIRST"):
		c.first = true
	case p.Accept("AFTER"):
		c.after = p.Name()
	}
	a.columns = append(a.columns, c)
}

func (p *parser) dropClause(a *Alteration) {
	switch {
	case p.Accept("PRIMARY"):
		p.Expect("KEY")
		a.dropKey = true
	case p.Accept("PARTITION"):
		p.rest()
	case p.Accept("FOREIGN", "KEY"), p.Accept("CHECK"):
		p.skipClause()
	case p.AcceptOneOf("INDEX", "KEY", "CONSTRAINT") != "":
		p.Accept("IF", "EXISTS")
		a.dropKey = a.dropKey || p.Tok.Kind == sqltext.Name && isPrimary(p.Tok.Text())
		p.Name()
	default:
		p.Accept("COLUMN")
		d := droppedColumn{maybe: p.Accept("IF", "EXISTS"), name: p.Name()}
		p.AcceptOneOf("RESTRICT", "CASCADE")
		a.drops = append(a.drops, d)
	}
}

// isPrimary says whether an index's name is that of primary keys.
func isPrimary(name string) bool { return strings.EqualFold(name, "PRIMARY") }

// convertTo reads the charset that all columns get.
func (p *parser) convertTo(a *Alteration) {
	if !p.Accept("CHARACTER", "SET") && !p.Accept("CHAR", "SET") && !p.Accept("CHARSET") {
		p.Fail()
	}
	if a.Charset != "" {
		p.Fail()
	}
	a.Charset, a.convert = p.charsetName(), true
	if p.Accept("COLLATE") {
		p.AcceptMark("=")
		a.Charset = p.collationName()
	}
}

// tableOptions reads what follows the columns of a new table.
func (p *parser) tableOptions(a *Alteration) {
	for p.Tok.Kind != sqltext.End && !p.Tok.IsMark(";") {
		switch {
		case p.AcceptMark(","), p.charsetOption(a), p.tableOption():
		case p.Accept("PARTITION", "BY"):
			p.partitions()
		case p.Accept("START", "TRANSACTION"): // MySQL: the rows of CREATE TABLE ... SELECT follow
		default:
			p.Fail()
		}
	}
}

// partitions reads the rest of PARTITION BY: words, numbers and parentheses, but no query.
func (p *parser) partitions() {
	for p.Tok.Kind != sqltext.End && !p.Failed {
		switch {
		case p.Tok.IsMark("("):
			p.Parens()
		case p.Tok.Is("SELECT"), p.Tok.Is("AS"), p.Tok.Is("START"), p.Tok.Is("IGNORE"), p.Tok.Is("REPLACE"), p.Tok.Is("TABLE"), p.Tok.Is("VALUES"), p.Tok.Is("WITH"):
			p.Fail()
		default:
			p.Advance()
		}
	}
}

// charsetOption reads the charset or collation that is the default of a table or schema, if it comes next.
func (p *parser) charsetOption(a *Alteration) bool {
	if p.Tok.Is("DEFAULT") {
		if next := p.Peek(); !next.Is("CHARACTER") && !next.Is("CHAR") && !next.Is("CHARSET") && !next.Is("COLLATE") {
			return false
		}
		p.Advance()
	}
	var charset string
	switch {
	case p.Accept("CHARACTER", "SET"), p.Accept("CHAR", "SET"), p.Accept("CHARSET"):
		p.AcceptMark("=")
		charset = p.charsetName()
	case p.Accept("COLLATE"):
		p.AcceptMark("=")
		charset = p.collationName()
	default:
		return false
	}
	if a.convert {
		p.Fail()
	}
	a.Charset = charset
	return true
}

// tableOption reads an option that does not matter, if one comes next.
func (p *parser) tableOption() bool {
	switch p.AcceptOneOf("ENGINE", "AUTO_INCREMENT", "COMMENT", "ROW_FORMAT", "KEY_BLOCK_SIZE", "AVG_ROW_LENGTH", "MAX_ROWS", "MIN_ROWS",
		"CHECKSUM", "TABLE_CHECKSUM", "DELAY_KEY_WRITE", "PACK_KEYS", "STATS_AUTO_RECALC", "STATS_PERSISTENT", "STATS_SAMPLE_PAGES", "COMPRESSION", "ENCRYPTION",
		"INSERT_METHOD", "PAGE_CHECKSUM", "PAGE_COMPRESSED", "PAGE_COMPRESSION_LEVEL", "TRANSACTIONAL", "ENCRYPTED", "ENCRYPTION_KEY_ID",
		"CONNECTION", "AUTOEXTEND_SIZE", "ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE", "SECONDARY_ENGINE", "TABLESPACE", "STORAGE", "NODEGROUP",
		"PASSWORD", "IETF_QUOTES", "UNION", "DATA", "INDEX") {
	case "":
		if !p.MariaDB || !p.Tok.IsName() || !p.Peek().IsMark("=") { // there, engines have options of their own
			return false
		}
		p.Advance()
	case "DATA", "INDEX":
		p.Expect("DIRECTORY")
	case "UNION":
		p.AcceptMark("=")
		p.Parens()
		return true
	}
	p.optionValue()
	return true
}

// optionValue reads the value of an option.
func (p *parser) optionValue() {
	p.AcceptMark("=")
	switch p.Tok.Kind {
	case sqltext.Word, sqltext.Name, sqltext.String, sqltext.Number:
		p.Advance()
	default:
		p.Fail()
	}
}
