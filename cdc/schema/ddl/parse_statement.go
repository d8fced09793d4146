package ddl

import "rowhook/sqltext"

// create reads what follows CREATE.
func (p *parser) create() {
	replace := p.Accept("OR", "REPLACE")
	switch {
	case p.Accept("TEMPORARY"): // its rows are not in the log
		p.rest()
	case p.Accept("TABLE"):
		p.createTable(replace)
	case p.Accept("DATABASE"), p.Accept("SCHEMA"):
		p.createSchema(replace)
	case p.AcceptOneOf("INDEX", "UNIQUE", "FULLTEXT", "SPATIAL", "VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "AGGREGATE", "EVENT",
		"DEFINER", "ALGORITHM", "SQL", "USER", "ROLE", "SERVER", "TABLESPACE", "UNDO", "LOGFILE", "RESOURCE", "PACKAGE", "LIBRARY") != "":
		p.rest()
	default:
		p.Fail()
	}
}

func (p *parser) createTable(replace bool) {
	op := Op{Kind: Create, Unless: p.Accept("IF", "NOT", "EXISTS"), Alter: &Alteration{}}
	if op.Unless && replace {
		p.Fail()
	}
	op.Table = p.tableName()
	switch {
	case p.Accept("LIKE"):
		op.Kind, op.Alter, op.Other = Like, nil, p.tableName()
	case p.Tok.IsMark("(") && p.Peek().Is("LIKE"):
		p.Advance()
		p.Expect("LIKE")
		op.Kind, op.Alter, op.Other = Like, nil, p.tableName()
		p.ExpectMark(")")
	default:
		p.ExpectMark("(")
		for more := true; more && !p.Failed; more = p.AcceptMark(",") {
			p.tableItem(op.Alter)
		}
		p.ExpectMark(")")
		p.tableOptions(op.Alter)
	}
	p.op(op)
}

// tableItem reads a column, an index or a constraint of a new table.
func (p *parser) tableItem(a *Alteration) {
	if p.indexOrConstraint(a) {
		return
	}
	name := p.Name()
	a.columns = append(a.columns, columnChange{def: p.column(name)})
}

// indexOrConstraint reads one of them, if it comes next.
func (p *parser) indexOrConstraint(a *Alteration) bool {
	if p.Accept("CONSTRAINT") {
		p.Accept("IF", "NOT", "EXISTS")
		if !p.Tok.Is("PRIMARY") && !p.Tok.Is("UNIQUE") && !p.Tok.Is("FOREIGN") && !p.Tok.Is("CHECK") {
			p.Name()
		}
	}
	index := func(t sqltext.Token) bool { return t.Is("INDEX") || t.Is("KEY") }
	switch {
	case p.Accept("PRIMARY"):
		p.Expect("KEY")
		p.primaryKey(a)
	case p.AcceptOneOf("INDEX", "KEY", "UNIQUE", "FULLTEXT", "SPATIAL", "FOREIGN", "CHECK") != "",
		p.Tok.Is("VECTOR") && index(p.Peek()):
		p.skipClause()
	default:
		return p.Failed
	}
	return true
}

// primaryKey reads the columns of a primary key. All its columns are kept, those of which only the beginning counts
// too.
func (p *parser) primaryKey(a *Alteration) {
	if a.key != nil {
		p.Fail()
	}
	p.indexType()
	if !p.Tok.IsMark("(") && !p.Tok.Is("IF") {
		p.Name()
	}
	p.indexType()
	p.ExpectMark("(")
	for more := true; more && !p.Failed; more = p.AcceptMark(",") {
		a.key = append(a.key, p.Name())
		if p.Tok.IsMark("(") {
			p.Parens()
		}
		p.AcceptOneOf("ASC", "DESC")
	}
	p.ExpectMark(")")
	p.skipClause()
}

// indexType reads the type of an index in front of its columns.
func (p *parser) indexType() {
	if p.AcceptOneOf("USING", "TYPE") != "" {
		p.Name()
	}
}

// createSchema reads what follows CREATE DATABASE.
func (p *parser) createSchema(replace bool) {
	unless := p.Accept("IF", "NOT", "EXISTS")
	name := p.Folded(TableName{Schema: p.Name()})
	if replace {
		p.op(Op{Kind: DropSchema, Table: name})
	}
	op := Op{Kind: SchemaCharset, Table: name, Unless: unless, Alter: &Alteration{Charset: UnknownCharset}}
	p.schemaOptions(op.Alter)
	p.op(op)
}

// schemaOptions reads the options of a schema.
func (p *parser) schemaOptions(a *Alteration) {
	for p.Tok.Kind != sqltext.End && !p.Tok.IsMark(";") {
		switch {
		case p.charsetOption(a):
		case p.Accept("COMMENT"), p.Accept("ENCRYPTION"), p.Accept("DEFAULT", "ENCRYPTION"):
			p.optionValue()
		default:
			p.Fail()
		}
	}
}

// alterAny reads what follows ALTER.
func (p *parser) alterAny() {
	p.AcceptOneOf("ONLINE", "OFFLINE")
	p.Accept("IGNORE")
	switch {
	case p.Accept("TABLE"):
		p.alterTable()
	case p.Accept("DATABASE"), p.Accept("SCHEMA"):
		op := Op{Kind: SchemaCharset, Table: TableName{Schema: p.schema}, Alter: &Alteration{}}
		if !p.Tok.Is("DEFAULT") && !p.Tok.Is("CHARACTER") && !p.Tok.Is("CHARSET") && !p.Tok.Is("COLLATE") && !p.Tok.Is("COMMENT") {
			op.Table.Schema = p.Name()
		}
		op.Table = p.Folded(op.Table)
		p.schemaOptions(op.Alter)
		p.op(op)
	case p.AcceptOneOf("VIEW", "PROCEDURE", "FUNCTION", "EVENT", "DEFINER", "ALGORITHM", "SQL", "USER", "SERVER", "INSTANCE", "TABLESPACE", "UNDO",
		"LOGFILE", "RESOURCE", "LIBRARY") != "":
		p.rest()
	default:
		p.Fail()
	}
}

// rename reads what follows RENAME.
func (p *parser) rename() {
	if p.Accept("USER") {
		p.rest()
		return
	}
	if p.AcceptOneOf("TABLE", "TABLES") == "" {
		p.Fail()
	}
	p.Accept("IF", "EXISTS")
	for more := true; more && !p.Failed; more = p.AcceptMark(",") {
		op := Op{Kind: Rename, Table: p.tableName()}
		p.wait()
		p.Expect("TO")
		op.Other = p.tableName()
		p.op(op)
	}
}

// drop reads what follows DROP.
func (p *parser) drop() {
	switch {
	case p.Accept("TEMPORARY"):
		p.rest()
	case p.AcceptOneOf("TABLE", "TABLES") != "":
		p.Accept("IF", "EXISTS")
		for more := true; more && !p.Failed; more = p.AcceptMark(",") {
			p.op(Op{Kind: Drop, Table: p.tableName()})
		}
		p.wait()
		p.AcceptOneOf("RESTRICT", "CASCADE")
	case p.Accept("DATABASE"), p.Accept("SCHEMA"):
		p.Accept("IF", "EXISTS")
		p.op(Op{Kind: DropSchema, Table: p.Folded(TableName{Schema: p.Name()})})
	case p.Accept("INDEX"):
		p.Accept("IF", "EXISTS")
		dropsKey := p.Tok.Kind == sqltext.Name && isPrimary(p.Tok.Text())
		p.Name()
		p.Expect("ON")
		op := Op{Kind: Alter, Table: p.tableName(), Alter: &Alteration{dropKey: dropsKey}}
		p.rest()
		p.op(op)
	case p.AcceptOneOf("VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "USER", "ROLE", "SERVER", "PREPARE", "TABLESPACE", "UNDO",
		"LOGFILE", "RESOURCE", "PACKAGE", "LIBRARY", "SPATIAL") != "":
		p.rest()
	default:
		p.Fail()
	}
}

// wait reads MariaDB's bound on the wait for a lock.
func (p *parser) wait() {
	if p.Accept("WAIT") {
		p.Advance()
	} else {
		p.Accept("NOWAIT")
	}
}
