<?php
/**
 * Plugin Name: rowhook relay
 * Description: Tells rowhook of hooks that leave no row in the database. It belongs into wp-content/mu-plugins. "rowhook relay" writes it, and writes it again when rowhook's rules name other hooks.
 * Version: 2
 */

if ( defined( 'ABSPATH' ) && ! class_exists( 'Rowhook_Relay', false ) ) {

	/**
	 * Subscribes to hooks and writes a row into the site's table for each call. Whatever goes wrong, the page goes on as if this
	 * file were not there: nothing is changed, shown, logged or thrown.
	 */
	final class Rowhook_Relay {

		const VERSION = 2;

		// The hooks' names, without the plugin's prefix.
		const HOOKS = array( /* hooks */ );

		const PREFIX = 'vikappointments_';
		const NAME   = 'rowhook_relay'; // Of the table, behind the site's prefix, and of the option that tells what is relayed.

		const FAILURES = 2;    // So many in one request, and it does not try any more.
		const KEEP     = 3600; // Seconds, where the table keeps rows at all.
		const PRUNE    = 1000; // Rows at once.

		private $busy     = false;
		private $failures = 0;
		private $written  = 0;
		private $actions  = array(); // How often each name was an action so far.
		private $kinds    = array(); // Of the calls that are being made, by how deep each is in others.

		public static function start() {
			$relay = new self();
			foreach ( self::HOOKS as $hook ) {
				// The plugin leaves the prefix out where the request is not for one of its own pages.
				$relay->subscribe( $hook, self::PREFIX . $hook );
				$relay->subscribe( $hook, $hook );
			}
			if ( self::HOOKS ) {
				add_action( 'shutdown', array( $relay, 'finish' ), PHP_INT_MAX );
			}
		}

		private function subscribe( $hook, $name ) {
			// References arrive by value here, so no argument can be changed. The first is a filter's value, and is given back.
			$callback = function ( ...$args ) use ( $hook, $name ) {
				$this->quietly(
					function () use ( $hook, $name, $args ) {
						$this->write( $hook, $name, array_values( $args ) );
					}
				);
				return $args ? reset( $args ) : null;
			};
			add_filter( $name, $callback, PHP_INT_MAX, PHP_INT_MAX );
			add_filter(
				$name,
				function ( $value = null ) use ( $name ) {
					$this->begin( $name );
					return $value;
				},
				PHP_INT_MIN
			);
		}

		/** Notes what a call is before what it does: that may call the same hook again, as a save does that saves again. */
		private function begin( $name ) {
			$before = isset( $this->actions[ $name ] ) ? $this->actions[ $name ] : 0;

			$this->actions[ $name ]        = did_action( $name );
			$this->kinds[ $this->depth() ] = $this->actions[ $name ] > $before ? 'action' : 'filter'; // A filter's first argument is its value.
		}

		private function depth() {
			global $wp_current_filter;
			return is_array( $wp_current_filter ) ? count( $wp_current_filter ) : 0;
		}

		/** Does something of which nobody may notice that it failed. */
		private function quietly( $work ) {
			if ( $this->busy || $this->failures >= self::FAILURES ) {
				return;
			}
			$this->busy = true;
			set_error_handler( '__return_true' );
			try {
				$work();
			} catch ( Throwable $e ) {
				++$this->failures;
			} finally {
				restore_error_handler();
				$this->busy = false;
			}
		}

		private function write( $hook, $name, array $args ) {
			$encoder = new Rowhook_Relay_Encoder();
			$json    = $encoder->encode( $args );
			$depth   = $this->depth();
			$kind    = isset( $this->kinds[ $depth ] ) ? $this->kinds[ $depth ] : 'action'; // It leaves nothing out.
			// The time, to the microsecond, and a random number: rows are in order, and each has a key of its own in any engine.
			list( $fraction, $seconds ) = explode( ' ', microtime() );
			$id = sprintf( '%08x%06x', $seconds, 1e6 * $fraction ) . bin2hex( random_bytes( 9 ) );
			$ok = $this->query(
				'INSERT /*+ SET_VAR(lock_wait_timeout=1) */ INTO ' . $this->table() . ' (id, hook, kind, args, omitted)' .
				" VALUES ('$id', '$hook', '$kind', " . $this->literal( $json ) . ', ' . $this->literal( $encoder->omitted() ) . ')'
			);
			if ( $ok ) {
				++$this->written;
			} else {
				++$this->failures;
			}
		}

		private function table() {
			global $wpdb;
			return '`' . str_replace( '`', '``', $wpdb->prefix ) . self::NAME . '`';
		}

		/** A text of ASCII in SQL. */
		private function literal( $text ) {
			global $wpdb;
			$link = $wpdb->dbh;
			return $link instanceof mysqli ? "'" . mysqli_real_escape_string( $link, $text ) . "'" : "x'" . bin2hex( $text ) . "'";
		}

		/**
		 * Asks the site's database in its own connection, for a row is true when the transaction around it is. It bypasses the methods
		 * of wpdb, which would forget the site's last result and connect anew, or end the page, when the connection is lost. Another
		 * class in its place may have several connections: a copy of it is asked.
		 */
		private function query( $sql ) {
			global $wpdb;
			$sql  = '/*M! SET STATEMENT lock_wait_timeout=1, innodb_lock_wait_timeout=1 FOR */ ' . $sql; // MariaDB's way not to wait.
			$link = $wpdb->dbh;
			if ( 'wpdb' === get_class( $wpdb ) && $link instanceof mysqli ) {
				return mysqli_query( $link, $sql );
			}
			$copy         = clone $wpdb;
			$copy->result = null; // It is the site's to free.
			$copy->suppress_errors( true );
			return false !== $copy->query( $sql );
		}

		/** Comes behind the page: tells rowhook once a day what is relayed, and now and then removes old rows. */
		public function finish() {
			$this->quietly(
				function () {
					if ( $this->written && mt_rand( 1, 100 ) <= $this->written ) {
						$before = sprintf( '%08x', time() - self::KEEP );
						$this->query( 'DELETE FROM ' . $this->table() . " WHERE id < '$before' LIMIT " . self::PRUNE );
					}
					$this->announce();
				}
			);
		}

		private function announce() {
			global $wpdb;
			$says = self::VERSION . ' ' . gmdate( 'Y-m-d' ) . ' ' . implode( ',', self::HOOKS );
			if ( wp_installing() || get_option( self::NAME ) === $says ) {
				return;
			}
			$shown = $wpdb->suppress_errors( true );
			try {
				update_option( self::NAME, $says, true );
			} finally {
				$wpdb->suppress_errors( $shown );
			}
		}
	}

	/**
	 * Writes arguments as JSON in ASCII. It runs no code of theirs: of an object it takes the public properties as they are. What has
	 * no place in the JSON is null there, and named.
	 */
	final class Rowhook_Relay_Encoder {

		const DEPTH = 6;      // Of arrays and objects in each other.
		const BYTES = 262144; // Of all arguments.
		const NAMED = 20;     // Values that are named, of those that have no place.
		const KEY   = 256;    // Bytes of a name.

		private $room  = self::BYTES - 4096; // Names and nulls may come on top.
		private $path  = array(); // Of the value that is being written.
		private $open  = array(); // The objects that it is in.
		private $names = array();
		private $keys  = array(); // As they are written, of the first.

		public function encode( array $args ) {
			$texts       = array();
			$this->room -= 8 * count( $args );
			foreach ( array( false, true ) as $large ) { // So that a large cart leaves room for the error behind it.
				foreach ( $args as $i => $arg ) {
					if ( ( is_array( $arg ) || is_object( $arg ) ) === $large ) {
						$this->path  = array( $i );
						$texts[ $i ] = $this->value( $arg, 0 );
					}
				}
			}
			ksort( $texts );
			return '[' . implode( ',', $texts ) . ']';
		}

		/** Names what has no place: for each the argument, where in it, and why. */
		public function omitted() {
			return (string) json_encode( $this->names, JSON_INVALID_UTF8_SUBSTITUTE );
		}

		private function value( $v, $depth ) {
			if ( is_string( $v ) ) {
				return $this->text( $v );
			}
			if ( is_int( $v ) ) {
				return $this->take( (string) $v );
			}
			if ( null === $v || is_bool( $v ) ) {
				return $this->take( null === $v ? 'null' : ( $v ? 'true' : 'false' ) );
			}
			if ( is_float( $v ) ) {
				return is_finite( $v ) ? $this->take( json_encode( $v ) ) : $this->leave( 'not a finite number' );
			}
			if ( is_array( $v ) ) {
				return $this->members( $v, $depth, false );
			}
			if ( ! is_object( $v ) ) {
				return $this->leave( 'resource' );
			}
			if ( $v instanceof Closure ) {
				return $this->leave( 'closure' );
			}
			if ( $v instanceof UnitEnum ) {
				return $this->value( $v instanceof BackedEnum ? $v->value : $v->name, $depth );
			}
			if ( in_array( $v, $this->open, true ) ) {
				return $this->leave( 'cycle' );
			}
			$this->open[] = $v;
			try {
				$members = (array) $v; // Code of its own runs only where an object is not made yet.
			} catch ( Throwable $e ) {
				$members = null;
			}
			$text = null === $members ? $this->leave( 'not readable' ) : $this->members( $members, $depth, true );
			array_pop( $this->open );
			return $text;
		}

		private function text( $v ) {
			if ( strlen( $v ) > $this->room ) {
				return $this->leave( 'too large' );
			}
			$text = json_encode( $v, JSON_UNESCAPED_SLASHES );
			if ( false === $text ) { // It is no UTF-8.
				$this->name( 'base64' );
				$text = '"' . base64_encode( $v ) . '"';
			}
			return $this->take( $text );
		}

		private function members( array $v, $depth, $object ) {
			if ( self::DEPTH === $depth ) {
				return $this->leave( 'too deep' );
			}
			$list  = ! $object && $this->is_list( $v );
			$texts = array();
			foreach ( $v as $key => $member ) {
				if ( $object && "\0" === substr( $key, 0, 1 ) ) {
					continue; // It is not public.
				}
				$this->path[] = $key;
				if ( $this->room < self::KEY ) {
					$this->name( 'too large, with all that follows' );
					array_pop( $this->path );
					break;
				}
				if ( $list ) {
					$name = '';
				} elseif ( isset( $this->keys[ $key ] ) ) {
					$name = $this->keys[ $key ];
				} else {
					$name = $this->key( (string) $key );
				}
				$this->room -= strlen( $name ) + 1;
				$texts[]     = $name . $this->value( $member, $depth + 1 );
				array_pop( $this->path );
			}
			return $list ? '[' . implode( ',', $texts ) . ']' : '{' . implode( ',', $texts ) . '}';
		}

		private function is_list( array $v ) {
			$next = 0;
			foreach ( $v as $key => $member ) {
				if ( $key !== $next++ ) {
					return false;
				}
				if ( $next > self::BYTES ) {
					break; // More have no place.
				}
			}
			return true;
		}

		private function key( $key ) {
			if ( strlen( $key ) > self::KEY ) {
				$this->name( 'name cut' );
				$key = substr( $key, 0, self::KEY );
			}
			$text = json_encode( $key, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE ) . ':';
			if ( strlen( $key ) < self::KEY && count( $this->keys ) < self::KEY ) {
				$this->keys[ $key ] = $text;
			}
			return $text;
		}

		private function take( $text ) {
			if ( strlen( $text ) > $this->room ) {
				return $this->leave( 'too large' );
			}
			$this->room -= strlen( $text );
			return $text;
		}

		private function leave( $why ) {
			$this->room -= 4;
			$this->name( $why );
			return 'null';
		}

		private function name( $why ) {
			if ( count( $this->names ) < self::NAMED ) {
				$where         = implode( '.', array_slice( $this->path, 1 ) );
				$this->names[] = array( $this->path[0], substr( $where, 0, 2 * self::KEY ), $why );
			}
		}
	}

	Rowhook_Relay::start();
}
