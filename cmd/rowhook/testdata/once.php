<?php
// Webhooks as the plugin was recorded to send them: remembered during a request, and posted once each, one after the other, when
// PHP ends it. For comparison_matrix_test.go, in wp-content/mu-plugins.

error_reporting(E_ALL & ~E_DEPRECATED); // this WordPress is older than this PHP

final class Once {
	private static $one = null;
	private $jobs = array(), $db;

	public static function remember($hook, $payload) {
		global $wpdb;
		self::$one ??= new self;
		self::$one->db = $wpdb;
		self::$one->jobs[] = array($hook, $payload);
	}

	public function __destruct() {
		$table = $this->db->prefix . 'vikappointments_webhook';
		foreach ($this->jobs as list($hook, $payload)) {
			if ($hook === 'onAfterDeleteReservation') {
				$payload = array('id' => array_unique($payload)); // of an integer
			}
			foreach ($this->db->get_results($this->db->prepare("SELECT * FROM $table WHERE published = 1 AND hook = %s ORDER BY id", $hook)) as $to) {
				$answer = wp_remote_post($to->url, array(
					'headers' => array(
						'Content-Type' => 'application/json', 'X-VAP-WEBHOOK-ID' => $to->id, 'X-VAP-WEBHOOK-ACTION' => $hook,
						'X-VAP-WEBHOOK-SECURE' => md5((string) $to->secret),
					),
					'body' => json_encode($payload),
				));
				$code = (int) wp_remote_retrieve_response_code($answer); // 0 where there is none
				$failed = $code >= 200 && $code < 300 ? 0 : $to->failed + 1;
				$this->db->query($this->db->prepare("UPDATE $table SET lastping = UTC_TIMESTAMP(), failed = %d, published = %d WHERE id = %d",
					$failed, $failed < 5, $to->id)); // webhooksmaxfail
			}
		}
	}
}

add_action('init', function () {
	global $wpdb;
	$table = $wpdb->prefix . 'vikappointments_reservation';
	if (isset($_GET['book'])) {
		$row = array(
			'id_employee' => 1, 'id_service' => 1, 'checkin_ts' => '2027-03-01 10:00:00', 'people' => 1, 'duration' => 45, 'total_cost' => 38,
			'purchaser_nominative' => 'Greta Lund', 'purchaser_mail' => 'greta@example.test', 'status' => 'W', 'locked_until' => time() + 900,
		);
		$wpdb->insert($table, $row);
		$id = $wpdb->insert_id;
		$wpdb->query("UPDATE `$table` SET `id_parent` = '$id' WHERE `id` = '$id'");
		Once::remember('onAfterSaveReservation', array('id' => $id) + $row);
		echo $id;
		exit;
	}
	if (isset($_GET['delete'])) {
		$id = (int) $_GET['delete'];
		$wpdb->query("DELETE FROM `$table` WHERE `id` IN ($id)");
		Once::remember('onAfterDeleteReservation', $id);
		exit;
	}
});
