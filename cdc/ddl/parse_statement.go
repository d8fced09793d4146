package ddl

// create reads what follows CREATE.
func (p *parser) create() {
	replace := p.accept("OR", "REPLACE")
	switch {
	case p.accept("TEMPORARY"): // its rows are not in the log
		p.skipAll()
	case p.accept("TABLE"):
		p.createTable(replace)
	case p.accept("DATABASE"), p.accept("SCHEMA"):
		p.createSchema(replace)
	case p.acceptOneOf("INDEX", "UNIQUE", "FULLTEXT", "SPATIAL", "VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "AGGREGATE", "EVENT",
		"DEFINER", "ALGORITHM", "SQL", "USER", "ROLE", "SERVER") != "":
		p.skipAll()
	default:
		p.fail()
	}
}

func (p *parser) createTable(replace bool) {
	op := Op{Kind: Create, Unless: p.accept("IF", "NOT", "EXISTS"), Alter: &Alteration{}}
	if op.Unless && replace {
		p.fail()
	}
	op.Table = p.tableName()
	switch {
	case p.accept("LIKE"):
		op.Kind, op.Alter, op.Other = Like, nil, p.tableName()
	case p.tok.isMark("(") && p.peek().is("LIKE"):
		p.advance()
		p.expect("LIKE")
		op.Kind, op.Alter, op.Other = Like, nil, p.tableName()
		p.expectMark(")")
	default:
		p.expectMark("(")
		for more := true; more && !p.failed; more = p.acceptMark(",") {
			p.tableItem(op.Alter)
		}
		p.expectMark(")")
		p.tableOptions(op.Alter)
	}
	p.op(op)
}

// tableItem reads a column, an index or a constraint of a new table.
func (p *parser) tableItem(a *Alteration) {
	if p.indexOrConstraint(a) {
		return
	}
	name := p.name()
	a.columns = append(a.columns, columnChange{def: p.column(name)})
}

// indexOrConstraint reads one of them, if it comes next.
func (p *parser) indexOrConstraint(a *Alteration) bool {
	if p.accept("CONSTRAINT") && !p.tok.is("PRIMARY") && !p.tok.is("UNIQUE") && !p.tok.is("FOREIGN") && !p.tok.is("CHECK") {
		p.name()
	}
	index := func(t token) bool { return t.is("INDEX") || t.is("KEY") }
	switch {
	case p.accept("PRIMARY"):
		p.expect("KEY")
		p.primaryKey(a)
	case p.acceptOneOf("INDEX", "KEY", "UNIQUE", "FULLTEXT", "SPATIAL", "FOREIGN", "CHECK") != "",
		p.tok.is("VECTOR") && index(p.peek()):
		p.skipClause()
	default:
		return p.failed
	}
	return true
}

// primaryKey reads the columns of a primary key. All its columns are kept, those of which only the beginning counts
// too.
func (p *parser) primaryKey(a *Alteration) {
	if a.key != nil {
		p.fail()
	}
	p.indexType()
	if !p.tok.isMark("(") && !p.tok.is("IF") {
		p.name()
	}
	p.indexType()
	p.expectMark("(")
	for more := true; more && !p.failed; more = p.acceptMark(",") {
		a.key = append(a.key, p.name())
		if p.tok.isMark("(") {
			p.parens()
		}
		p.acceptOneOf("ASC", "DESC")
	}
	p.expectMark(")")
	p.skipClause()
}

// indexType reads the type of an index in front of its columns.
func (p *parser) indexType() {
	if p.acceptOneOf("USING", "TYPE") != "" {
		p.name()
	}
}

// createSchema reads what follows CREATE DATABASE.
func (p *parser) createSchema(replace bool) {
	unless := p.accept("IF", "NOT", "EXISTS")
	name := p.folded(TableName{Schema: p.name()})
	if replace {
		p.op(Op{Kind: DropSchema, Table: name})
	}
	op := Op{Kind: SchemaCharset, Table: name, Unless: unless, Alter: &Alteration{Charset: UnknownCharset}}
	p.schemaOptions(op.Alter)
	p.op(op)
}

// schemaOptions reads the options of a schema.
func (p *parser) schemaOptions(a *Alteration) {
	for p.tok.kind != endToken && !p.tok.isMark(";") {
		switch {
		case p.charsetOption(a):
		case p.accept("COMMENT"), p.accept("ENCRYPTION"), p.accept("DEFAULT", "ENCRYPTION"):
			p.optionValue()
		default:
			p.fail()
		}
	}
}

// alterAny reads what follows ALTER.
func (p *parser) alterAny() {
	p.acceptOneOf("ONLINE", "OFFLINE")
	p.accept("IGNORE")
	switch {
	case p.accept("TABLE"):
		p.alterTable()
	case p.accept("DATABASE"), p.accept("SCHEMA"):
		op := Op{Kind: SchemaCharset, Table: TableName{Schema: p.schema}, Alter: &Alteration{}}
		if !p.tok.is("DEFAULT") && !p.tok.is("CHARACTER") && !p.tok.is("CHARSET") && !p.tok.is("COLLATE") && !p.tok.is("COMMENT") {
			op.Table.Schema = p.name()
		}
		op.Table = p.folded(op.Table)
		p.schemaOptions(op.Alter)
		p.op(op)
	case p.acceptOneOf("VIEW", "PROCEDURE", "FUNCTION", "EVENT", "DEFINER", "ALGORITHM", "SQL", "USER", "SERVER", "INSTANCE") != "":
		p.skipAll()
	default:
		p.fail()
	}
}

// rename reads what follows RENAME.
func (p *parser) rename() {
	if p.accept("USER") {
		p.skipAll()
		return
	}
	if p.acceptOneOf("TABLE", "TABLES") == "" {
		p.fail()
	}
	p.accept("IF", "EXISTS")
	for more := true; more && !p.failed; more = p.acceptMark(",") {
		op := Op{Kind: Rename, Table: p.tableName()}
		p.wait()
		p.expect("TO")
		op.Other = p.tableName()
		p.op(op)
	}
}

// drop reads what follows DROP.
func (p *parser) drop() {
	switch {
	case p.accept("TEMPORARY"):
		p.skipAll()
	case p.acceptOneOf("TABLE", "TABLES") != "":
		p.accept("IF", "EXISTS")
		for more := true; more && !p.failed; more = p.acceptMark(",") {
			p.op(Op{Kind: Drop, Table: p.tableName()})
		}
		p.wait()
		p.acceptOneOf("RESTRICT", "CASCADE")
	case p.accept("DATABASE"), p.accept("SCHEMA"):
		p.accept("IF", "EXISTS")
		p.op(Op{Kind: DropSchema, Table: p.folded(TableName{Schema: p.name()})})
	case p.accept("INDEX"):
		p.accept("IF", "EXISTS")
		dropsKey := p.tok.kind == nameToken && isPrimary(p.tok.text)
		p.name()
		p.expect("ON")
		op := Op{Kind: Alter, Table: p.tableName(), Alter: &Alteration{dropKey: dropsKey}}
		p.skipAll()
		p.op(op)
	case p.acceptOneOf("VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "USER", "ROLE", "SERVER", "PREPARE") != "":
		p.skipAll()
	default:
		p.fail()
	}
}

// wait reads MariaDB's bound on the wait for a lock.
func (p *parser) wait() {
	if p.accept("WAIT") {
		p.advance()
	} else {
		p.accept("NOWAIT")
	}
}
