package cdc

import (
	"fmt"

	"github.com/go-mysql-org/go-mysql/replication"
)

// class is what the reader does with events of a type.
type class uint8

const (
	unknown class = iota // no server had it when this was written: stop, unless it is marked as one that may be ignored
	used
	ignored // it says nothing about rows
	refused // its rows cannot be read: stop
)

// eventType is a type of event by the name that the servers give it.
type eventType struct {
	name  string
	class class
}

// eventTypes is every type that MySQL (up to 9.x) and MariaDB (up to 12.x) define.
var eventTypes = [256]eventType{
	0: {"UNKNOWN_EVENT", refused},

	// Of servers before 5.1, when rows were logged otherwise.
	1:  {"START_EVENT_V3", refused},
	6:  {"LOAD_EVENT", refused},
	7:  {"SLAVE_EVENT", refused},
	8:  {"CREATE_FILE_EVENT", refused},
	10: {"EXEC_LOAD_EVENT", refused},
	12: {"NEW_LOAD_EVENT", refused},
	20: {"PRE_GA_WRITE_ROWS_EVENT", refused},
	21: {"PRE_GA_UPDATE_ROWS_EVENT", refused},
	22: {"PRE_GA_DELETE_ROWS_EVENT", refused},

	// Of both servers.
	2:  {"QUERY_EVENT", used},
	3:  {"STOP_EVENT", used},
	4:  {"ROTATE_EVENT", used},
	5:  {"INTVAR_EVENT", ignored}, // for a statement that follows, and that stops us when it matters
	9:  {"APPEND_BLOCK_EVENT", ignored},
	11: {"DELETE_FILE_EVENT", ignored},
	13: {"RAND_EVENT", ignored},
	14: {"USER_VAR_EVENT", ignored},
	15: {"FORMAT_DESCRIPTION_EVENT", used},
	16: {"XID_EVENT", used},
	17: {"BEGIN_LOAD_QUERY_EVENT", ignored}, // the file; its statement follows
	18: {"EXECUTE_LOAD_QUERY_EVENT", used},
	19: {"TABLE_MAP_EVENT", used},
	23: {"WRITE_ROWS_EVENT_V1", used},
	24: {"UPDATE_ROWS_EVENT_V1", used},
	25: {"DELETE_ROWS_EVENT_V1", used},
	26: {"INCIDENT_EVENT", refused},
	27: {"HEARTBEAT_LOG_EVENT", used},
	28: {"IGNORABLE_LOG_EVENT", ignored},
	29: {"ROWS_QUERY_LOG_EVENT", used},
	30: {"WRITE_ROWS_EVENT", used},
	31: {"UPDATE_ROWS_EVENT", used},
	32: {"DELETE_ROWS_EVENT", used},
	33: {"GTID_LOG_EVENT", used},
	34: {"ANONYMOUS_GTID_LOG_EVENT", used},
	35: {"PREVIOUS_GTIDS_LOG_EVENT", used},
	36: {"TRANSACTION_CONTEXT_EVENT", ignored}, // of group replication
	37: {"VIEW_CHANGE_EVENT", ignored},
	38: {"XA_PREPARE_LOG_EVENT", used},

	// Of MySQL.
	39: {"PARTIAL_UPDATE_ROWS_EVENT", used}, // for tables that nobody watches
	40: {"TRANSACTION_PAYLOAD_EVENT", used},
	41: {"HEARTBEAT_LOG_EVENT_V2", used},
	42: {"GTID_TAGGED_LOG_EVENT", used},

	// Of MariaDB.
	160: {"ANNOTATE_ROWS_EVENT", used},
	161: {"BINLOG_CHECKPOINT_EVENT", used},
	162: {"GTID_EVENT", used},
	163: {"GTID_LIST_EVENT", used},
	164: {"START_ENCRYPTION_EVENT", ignored}, // the server decrypts before it sends
	165: {"QUERY_COMPRESSED_EVENT", used},
	166: {"WRITE_ROWS_COMPRESSED_EVENT_V1", used},
	167: {"UPDATE_ROWS_COMPRESSED_EVENT_V1", used},
	168: {"DELETE_ROWS_COMPRESSED_EVENT_V1", used},
	169: {"WRITE_ROWS_COMPRESSED_EVENT", refused}, // defined, and written by none
	170: {"UPDATE_ROWS_COMPRESSED_EVENT", refused},
	171: {"DELETE_ROWS_COMPRESSED_EVENT", refused},
	172: {"PARTIAL_ROW_DATA_EVENT", refused},
}

// partialRowData is a piece of a rows event that was too large (MariaDB 12.3).
const partialRowData replication.EventType = 172

// alien says whether only servers of the other vendor write events of a type that is used.
func alien(typ replication.EventType, mariaDB bool) bool {
	const firstOfMariaDB = 160
	if !mariaDB {
		return typ >= firstOfMariaDB
	}
	switch typ {
	case replication.GTID_EVENT, replication.ANONYMOUS_GTID_EVENT, replication.GTID_TAGGED_LOG_EVENT,
		replication.PARTIAL_UPDATE_ROWS_EVENT, replication.TRANSACTION_PAYLOAD_EVENT, replication.HEARTBEAT_LOG_EVENT_V2:
		return true
	}
	return false
}

// refuse stops at an event whose rows cannot be read.
func (r *reader) refuse(typ replication.EventType) error {
	switch typ {
	case replication.INCIDENT_EVENT:
		return r.stopBefore("the server says that it lost events here (INCIDENT)", "compare the site with its receivers", nil)
	case partialRowData:
		return r.stopBefore("rows were logged in pieces (PARTIAL_ROW_DATA_EVENT), which this version does not join",
			"SET GLOBAL binlog_row_event_fragment_threshold to more than the largest row takes, and in my.cnf too", nil)
	}
	return r.stop(fmt.Sprintf("an event of type %d (%s), which no server is known to write", typ, eventTypes[typ].name), "please report this", nil)
}

// unheardOf takes an event of a type that is not on the list.
func (r *reader) unheardOf(h *replication.EventHeader) error {
	const ignorable = 0x80
	if h.Flags&ignorable != 0 {
		return nil
	}
	return r.stop(fmt.Sprintf("an event of type %d, which this version does not know", h.EventType), "a newer version may", nil)
}
