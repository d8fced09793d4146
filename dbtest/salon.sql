-- The booking plugin's tables as far as rowhook reads them, or watches what is written to them, and three of WordPress'.
-- Columns, types, defaults and keys are those of VikAppointments 1.2.15 and WordPress 6.1; {prefix} is the site's.

CREATE TABLE `{prefix}vikappointments_cities` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_state` int(10) unsigned NOT NULL DEFAULT 0,
  `city_name` varchar(64) NOT NULL, `city_2_code` char(2) NOT NULL, `city_3_code` char(3) DEFAULT '',
  `longitude` decimal(11,8) DEFAULT NULL, `latitude` decimal(11,8) DEFAULT NULL, `published` tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_config` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `param` varchar(32) NOT NULL DEFAULT 'false', `setting` text DEFAULT NULL,
  PRIMARY KEY (`id`), UNIQUE KEY `param` (`param`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_countries` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `country_name` varchar(48) NOT NULL, `country_2_code` char(2) NOT NULL,
  `country_3_code` char(3) NOT NULL, `phone_prefix` varchar(8) NOT NULL, `published` tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (`id`), UNIQUE KEY `country_2_code` (`country_2_code`), UNIQUE KEY `country_3_code` (`country_3_code`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_coupon` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `code` varchar(32) NOT NULL, `type` tinyint(2) NOT NULL DEFAULT 1,
  `percentot` tinyint(2) NOT NULL DEFAULT 2, `value` decimal(10,2) NOT NULL DEFAULT 0.00,
  `mincost` decimal(10,2) NOT NULL DEFAULT 0.00, `pubmode` tinyint(1) DEFAULT 1, `dstart` datetime DEFAULT NULL,
  `dend` datetime DEFAULT NULL, `lastminute` int(4) DEFAULT 0, `max_quantity` int(8) DEFAULT 1, `used_quantity` int(8) DEFAULT 0,
  `maxperuser` int(6) unsigned DEFAULT 0, `applicable` varchar(16) DEFAULT NULL, `remove_gift` tinyint(1) DEFAULT 0,
  `notes` varchar(512) DEFAULT '', `id_group` int(10) unsigned DEFAULT 0, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_coupon_employee_assoc` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_employee` int(10) unsigned NOT NULL, `id_coupon` int(10) unsigned NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_coupon_group` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(48) NOT NULL, `description` varchar(2048) DEFAULT '',
  `ordering` int(10) unsigned DEFAULT 1, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_coupon_service_assoc` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_service` int(10) unsigned NOT NULL, `id_coupon` int(10) unsigned NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_custfields` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `formname` varchar(32) DEFAULT '',
  `description` varchar(2048) DEFAULT NULL, `type` varchar(64) NOT NULL DEFAULT 'text', `choose` text DEFAULT NULL,
  `multiple` tinyint(1) DEFAULT 0, `required` tinyint(1) NOT NULL DEFAULT 0, `ordering` int(10) NOT NULL DEFAULT 1,
  `rule` varchar(32) DEFAULT '0', `poplink` varchar(256) DEFAULT NULL, `locale` varchar(8) DEFAULT '*',
  `repeat` tinyint(1) unsigned DEFAULT 0, `readonly` tinyint(1) unsigned DEFAULT 0, `id_employee` int(10) DEFAULT -1,
  `group` tinyint(1) DEFAULT 0, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_cf_service_assoc` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_field` int(10) unsigned NOT NULL, `id_service` int(10) unsigned NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_employee` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `firstname` varchar(128) NOT NULL, `lastname` varchar(128) NOT NULL,
  `nickname` varchar(128) NOT NULL, `alias` varchar(128) NOT NULL, `email` varchar(128) DEFAULT '',
  `notify` tinyint(1) NOT NULL DEFAULT 0, `showphone` tinyint(1) NOT NULL DEFAULT 0,
  `quick_contact` tinyint(1) NOT NULL DEFAULT 0, `listable` tinyint(1) NOT NULL DEFAULT 1, `phone` varchar(32) DEFAULT '',
  `image` varchar(128) DEFAULT '', `note` text DEFAULT NULL, `synckey` varchar(32) DEFAULT 'secret', `jid` int(10) DEFAULT -1,
  `id_group` int(10) DEFAULT -1, `active_to` int(12) DEFAULT -1, `active_to_date` datetime DEFAULT NULL,
  `active_since` datetime DEFAULT NULL, `timezone` varchar(32) DEFAULT '', `billing_json` varchar(2048) DEFAULT '',
  `ical_url` varchar(2048) DEFAULT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_employee_group` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `description` text DEFAULT NULL,
  `ordering` int(10) NOT NULL DEFAULT 1, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_employee_location` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(32) DEFAULT '', `id_employee` int(10) DEFAULT -1,
  `id_country` int(10) DEFAULT -1, `id_state` int(10) DEFAULT -1, `id_city` int(10) DEFAULT -1, `address` varchar(64) DEFAULT '',
  `zip` varchar(8) DEFAULT '', `longitude` decimal(11,8) DEFAULT NULL, `latitude` decimal(11,8) DEFAULT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_emp_worktime` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_employee` int(10) NOT NULL, `id_service` int(10) DEFAULT -1,
  `day` int(2) NOT NULL, `fromts` int(6) NOT NULL, `endts` int(6) NOT NULL, `ts` int(12) DEFAULT -1, `tsdate` date DEFAULT NULL,
  `closed` tinyint(1) NOT NULL DEFAULT 0, `id_location` int(10) DEFAULT -1, `parent` int(10) DEFAULT -1, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_gpayments` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `file` varchar(64) NOT NULL,
  `published` tinyint(1) NOT NULL DEFAULT 0, `appointments` tinyint(1) NOT NULL DEFAULT 1,
  `subscr` tinyint(1) NOT NULL DEFAULT 0, `prenote` text DEFAULT NULL, `note` text DEFAULT NULL,
  `charge` decimal(8,4) DEFAULT 0.0000, `id_tax` int(10) unsigned DEFAULT 0, `setconfirmed` tinyint(1) NOT NULL DEFAULT 0,
  `selfconfirm` tinyint(1) NOT NULL DEFAULT 0, `trust` int(4) unsigned DEFAULT 0, `icontype` tinyint(1) DEFAULT 0,
  `icon` varchar(128) DEFAULT '', `position` varchar(64) DEFAULT '', `level` tinyint(1) DEFAULT 1,
  `id_employee` int(10) unsigned DEFAULT 0, `createdby` int(10) unsigned NOT NULL DEFAULT 0, `params` varchar(2048) DEFAULT NULL,
  `ordering` int(10) NOT NULL DEFAULT 1, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_group` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `description` text DEFAULT NULL,
  `ordering` int(10) NOT NULL DEFAULT 1, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_invoice` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_order` int(10) unsigned NOT NULL, `inv_number` varchar(32) NOT NULL,
  `inv_date` datetime NOT NULL, `file` varchar(32) NOT NULL, `createdon` datetime NOT NULL,
  `group` varchar(48) DEFAULT 'appointments', PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_lang_customf` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `description` varchar(2048) DEFAULT NULL,
  `choose` text DEFAULT NULL, `poplink` varchar(256) DEFAULT '', `id_customf` int(10) unsigned NOT NULL,
  `tag` varchar(8) NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_lang_empgroup` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `description` text DEFAULT NULL,
  `tag` varchar(8) NOT NULL, `id_empgroup` int(10) unsigned NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_lang_employee` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `nickname` varchar(128) NOT NULL, `alias` varchar(128) DEFAULT NULL,
  `note` text DEFAULT NULL, `tag` varchar(8) NOT NULL, `id_employee` int(10) unsigned NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_lang_group` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `description` text DEFAULT NULL,
  `tag` varchar(8) NOT NULL, `id_group` int(10) unsigned NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_lang_option` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `description` varchar(1024) DEFAULT '',
  `tag` varchar(8) NOT NULL, `id_option` int(10) unsigned NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_lang_option_group` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `description` varchar(1024) DEFAULT '',
  `tag` varchar(8) NOT NULL, `id_group` int(10) unsigned NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_lang_option_value` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `tag` varchar(8) NOT NULL,
  `id_variation` int(10) unsigned NOT NULL, `id_parent` int(10) unsigned NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_lang_package` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `description` text DEFAULT NULL,
  `tag` varchar(8) NOT NULL, `id_package` int(10) unsigned NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_lang_package_group` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `title` varchar(128) NOT NULL, `description` text DEFAULT NULL,
  `tag` varchar(8) NOT NULL, `id_package_group` int(10) unsigned NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_lang_payment` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `prenote` text DEFAULT NULL,
  `note` text DEFAULT NULL, `tag` varchar(8) NOT NULL, `id_payment` int(10) unsigned NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_lang_service` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `alias` varchar(128) DEFAULT NULL,
  `description` text DEFAULT NULL, `tag` varchar(8) NOT NULL, `id_service` int(10) unsigned NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_lang_status_code` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(64) NOT NULL, `description` varchar(512) NOT NULL,
  `id_status_code` int(10) unsigned NOT NULL, `tag` varchar(8) NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_option` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `description` varchar(1024) NOT NULL,
  `price` decimal(10,2) NOT NULL, `id_tax` int(10) unsigned DEFAULT 0, `duration` int(6) unsigned DEFAULT 0,
  `published` tinyint(1) NOT NULL DEFAULT 1, `single` tinyint(1) NOT NULL DEFAULT 1, `maxq` int(6) NOT NULL DEFAULT 1,
  `maxqpeople` tinyint(1) DEFAULT 0, `shared` tinyint(1) DEFAULT 0, `required` tinyint(1) DEFAULT 0,
  `image` varchar(128) DEFAULT '', `displaymode` tinyint(1) DEFAULT 1, `level` tinyint(1) DEFAULT 1,
  `id_group` int(10) unsigned DEFAULT 0, `ordering` int(10) unsigned DEFAULT 1, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_option_group` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `description` varchar(2048) DEFAULT '',
  `ordering` int(10) unsigned DEFAULT 1, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_option_value` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_option` int(10) unsigned NOT NULL, `name` varchar(64) NOT NULL,
  `inc_price` decimal(10,2) NOT NULL, `inc_duration` int(6) unsigned DEFAULT 0, `ordering` int(10) unsigned DEFAULT 1,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_order_status` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_order` int(10) unsigned NOT NULL, `status` varchar(16) NOT NULL,
  `comment` varchar(512) DEFAULT NULL, `client` tinyint(1) unsigned DEFAULT 0, `ip` varchar(32) NOT NULL,
  `createdby` int(10) unsigned DEFAULT 0, `createdon` datetime DEFAULT NULL, `type` varchar(48) DEFAULT '', PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_package` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(64) NOT NULL, `description` text DEFAULT NULL,
  `price` decimal(10,2) NOT NULL, `num_app` int(4) unsigned NOT NULL, `published` tinyint(1) unsigned DEFAULT 0,
  `start_ts` datetime DEFAULT NULL, `end_ts` datetime DEFAULT NULL, `validity` int(6) unsigned DEFAULT 0,
  `id_group` int(10) DEFAULT -1, `level` tinyint(1) DEFAULT 1, `id_tax` int(10) unsigned DEFAULT 0,
  `ordering` int(10) unsigned DEFAULT 1, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_package_group` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `title` varchar(512) NOT NULL, `description` text DEFAULT NULL,
  `ordering` int(10) unsigned DEFAULT 1, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_package_order` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `sid` varchar(16) NOT NULL, `id_payment` int(10) DEFAULT -1,
  `status` varchar(16) DEFAULT 'W', `total_cost` decimal(10,2) DEFAULT 0.00, `tot_paid` decimal(10,2) DEFAULT 0.00,
  `total_net` decimal(10,2) DEFAULT 0.00, `total_tax` decimal(10,2) DEFAULT 0.00, `payment_charge` decimal(5,2) DEFAULT 0.00,
  `payment_tax` decimal(5,2) DEFAULT 0.00, `discount` decimal(10,2) DEFAULT 0.00, `coupon` varchar(128) DEFAULT NULL,
  `purchaser_nominative` varchar(128) DEFAULT '', `purchaser_mail` varchar(64) NOT NULL,
  `purchaser_phone` varchar(32) DEFAULT '', `purchaser_prefix` varchar(10) DEFAULT '', `purchaser_country` varchar(2) DEFAULT '',
  `langtag` varchar(8) DEFAULT '', `custom_f` text DEFAULT NULL, `createdon` datetime DEFAULT NULL,
  `createdby` int(10) DEFAULT -1, `id_user` int(10) DEFAULT -1, `log` text DEFAULT NULL, `cc_data` text DEFAULT NULL,
  `payment_attempt` int(4) DEFAULT 1, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_package_order_item` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_order` int(10) NOT NULL, `id_package` int(10) NOT NULL,
  `price` decimal(10,2) DEFAULT 0.00, `net` decimal(10,2) DEFAULT 0.00, `tax` decimal(10,2) DEFAULT 0.00,
  `gross` decimal(10,2) DEFAULT 0.00, `discount` decimal(10,2) DEFAULT 0.00, `tax_breakdown` varchar(1024) DEFAULT NULL,
  `quantity` int(4) unsigned DEFAULT 1, `num_app` int(4) unsigned DEFAULT 1, `used_app` int(4) unsigned DEFAULT 0,
  `validthru` datetime DEFAULT NULL, `modifiedon` datetime DEFAULT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_package_service` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_package` int(10) unsigned NOT NULL, `id_service` int(10) unsigned NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_reservation` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_payment` int(10) NOT NULL, `id_employee` int(10) NOT NULL,
  `id_service` int(10) NOT NULL, `checkin_ts` datetime NOT NULL, `tz_offset` varchar(8) DEFAULT NULL,
  `people` int(4) NOT NULL DEFAULT 1, `duration` int(10) NOT NULL, `sleep` int(4) NOT NULL DEFAULT 0,
  `total_cost` decimal(10,2) DEFAULT 0.00, `tot_paid` decimal(10,2) DEFAULT 0.00, `total_net` decimal(10,2) DEFAULT 0.00,
  `total_tax` decimal(10,2) DEFAULT 0.00, `service_price` decimal(10,2) DEFAULT 0.00, `service_net` decimal(10,2) DEFAULT 0.00,
  `service_tax` decimal(10,2) DEFAULT 0.00, `service_gross` decimal(10,2) DEFAULT 0.00,
  `service_discount` decimal(10,2) DEFAULT 0.00, `payment_charge` decimal(5,2) DEFAULT 0.00,
  `payment_tax` decimal(5,2) DEFAULT 0.00, `discount` decimal(10,2) DEFAULT 0.00, `tax_breakdown` varchar(1024) DEFAULT NULL,
  `paid` tinyint(1) NOT NULL DEFAULT 0, `purchaser_nominative` varchar(128) DEFAULT '',
  `purchaser_mail` varchar(64) NOT NULL DEFAULT '', `purchaser_phone` varchar(32) DEFAULT '',
  `purchaser_prefix` varchar(10) DEFAULT '', `purchaser_country` varchar(2) DEFAULT '', `langtag` varchar(8) DEFAULT '',
  `custom_f` text DEFAULT NULL, `attendees` text DEFAULT NULL, `coupon_str` varchar(128) DEFAULT '',
  `status` varchar(16) DEFAULT 'W', `locked_until` int(12) DEFAULT 0, `sid` varchar(16) NOT NULL DEFAULT '000000000000',
  `conf_key` varchar(12) DEFAULT '', `view_emp` tinyint(1) DEFAULT 0, `notes` text DEFAULT NULL,
  `uploads` varchar(256) DEFAULT '', `id_parent` int(10) NOT NULL DEFAULT -1, `createdon` datetime DEFAULT NULL,
  `createdby` int(10) DEFAULT -1, `modifiedon` datetime DEFAULT NULL, `id_user` int(10) DEFAULT -1,
  `user_timezone` varchar(32) DEFAULT NULL, `skip_deposit` tinyint(1) unsigned DEFAULT 0, `icaluid` varchar(128) DEFAULT NULL,
  `icalhash` varchar(128) DEFAULT NULL, `log` text DEFAULT NULL, `closure` tinyint(1) DEFAULT 0, `cc_data` text DEFAULT NULL,
  `payment_attempt` int(4) DEFAULT 1, `conversion` varchar(64) DEFAULT '', PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_res_opt_assoc` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_reservation` int(10) NOT NULL, `id_option` int(10) NOT NULL,
  `id_variation` int(10) DEFAULT -1, `inc_price` decimal(10,2) NOT NULL, `net` decimal(10,2) DEFAULT 0.00,
  `tax` decimal(10,2) DEFAULT 0.00, `gross` decimal(10,2) DEFAULT 0.00, `discount` decimal(10,2) DEFAULT 0.00,
  `tax_breakdown` varchar(1024) DEFAULT NULL, `quantity` int(6) NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_service` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `alias` varchar(128) NOT NULL,
  `description` text DEFAULT NULL, `duration` int(6) NOT NULL, `sleep` int(4) NOT NULL DEFAULT 0,
  `interval` tinyint(1) NOT NULL DEFAULT 1, `minrestr` int(8) NOT NULL DEFAULT -1, `mindate` int(4) NOT NULL DEFAULT -1,
  `maxdate` int(4) NOT NULL DEFAULT -1, `price` decimal(10,2) NOT NULL, `id_tax` int(10) unsigned DEFAULT 0,
  `max_capacity` int(5) NOT NULL DEFAULT 1, `min_per_res` int(5) NOT NULL DEFAULT 1, `max_per_res` int(5) NOT NULL DEFAULT 1,
  `priceperpeople` tinyint(1) NOT NULL DEFAULT 1, `app_per_slot` tinyint(1) NOT NULL DEFAULT 1,
  `published` tinyint(1) NOT NULL DEFAULT 0, `quick_contact` tinyint(1) NOT NULL DEFAULT 0,
  `choose_emp` tinyint(1) NOT NULL DEFAULT 1, `random_emp` tinyint(1) unsigned DEFAULT 0,
  `enablezip` tinyint(1) NOT NULL DEFAULT 0, `use_recurrence` tinyint(1) NOT NULL DEFAULT 0, `image` varchar(128) DEFAULT '',
  `start_publishing` datetime DEFAULT NULL, `end_publishing` datetime DEFAULT NULL, `has_own_cal` tinyint(1) DEFAULT 0,
  `checkout_selection` tinyint(1) DEFAULT 0, `display_seats` tinyint(1) DEFAULT 0, `id_group` int(10) DEFAULT -1,
  `level` tinyint(1) DEFAULT 1, `color` varchar(6) DEFAULT NULL, `createdby` int(10) unsigned DEFAULT 0,
  `ordering` int(10) NOT NULL DEFAULT 1, `metadata` text DEFAULT NULL, `attachments` varchar(1024) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_ser_emp_assoc` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_service` int(10) NOT NULL, `id_employee` int(10) NOT NULL,
  `global` tinyint(1) DEFAULT 1, `rate` decimal(8,2) DEFAULT 0.00, `duration` int(6) NOT NULL, `sleep` int(4) NOT NULL DEFAULT 0,
  `max_capacity` int(5) DEFAULT 1, `description` text DEFAULT NULL, `ical_url` varchar(2048) DEFAULT NULL,
  `ordering` int(10) unsigned DEFAULT 1, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_ser_opt_assoc` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_service` int(10) NOT NULL, `id_option` int(10) NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_states` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_country` int(10) unsigned NOT NULL DEFAULT 0,
  `state_name` varchar(64) NOT NULL, `state_2_code` char(2) NOT NULL, `state_3_code` char(3) DEFAULT '',
  `published` tinyint(1) NOT NULL DEFAULT 1, PRIMARY KEY (`id`), UNIQUE KEY `idx_state_2_code` (`id_country`, `state_2_code`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_status_code` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(32) NOT NULL, `description` varchar(512) DEFAULT NULL,
  `code` varchar(16) NOT NULL, `color` varchar(8) DEFAULT NULL, `ordering` int(10) unsigned DEFAULT 1,
  `appointments` tinyint(1) DEFAULT 1, `packages` tinyint(1) DEFAULT 1, `subscriptions` tinyint(1) DEFAULT 1,
  `approved` tinyint(1) DEFAULT 0, `reserved` tinyint(1) DEFAULT 0, `expired` tinyint(1) DEFAULT 0,
  `cancelled` tinyint(1) DEFAULT 0, `paid` tinyint(1) DEFAULT 0, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_subscription` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(32) NOT NULL, `description` text DEFAULT NULL,
  `amount` int(10) unsigned NOT NULL, `type` tinyint(1) unsigned NOT NULL, `price` decimal(10,2) NOT NULL DEFAULT 0.00,
  `id_tax` int(10) unsigned DEFAULT 0, `published` tinyint(1) NOT NULL DEFAULT 1, `trial` tinyint(1) NOT NULL DEFAULT 0,
  `group` tinyint(1) unsigned DEFAULT 0, `services` varchar(256) DEFAULT NULL, `ordering` int(10) unsigned DEFAULT 1,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_subscr_order` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `sid` varchar(16) NOT NULL, `id_user` int(10) unsigned DEFAULT 0,
  `id_employee` int(10) unsigned DEFAULT 0, `id_subscr` int(10) unsigned NOT NULL, `id_payment` int(10) DEFAULT -1,
  `total_cost` decimal(10,2) DEFAULT 0.00, `tot_paid` decimal(10,2) DEFAULT 0.00, `total_net` decimal(10,2) DEFAULT 0.00,
  `total_tax` decimal(10,2) DEFAULT 0.00, `payment_charge` decimal(5,2) DEFAULT 0.00, `payment_tax` decimal(5,2) DEFAULT 0.00,
  `discount` decimal(10,2) DEFAULT 0.00, `coupon` varchar(128) DEFAULT NULL, `status` varchar(16) DEFAULT 'W',
  `createdon` datetime DEFAULT NULL, `cc_data` text DEFAULT NULL, `payment_attempt` int(4) DEFAULT 1, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_tag` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(48) NOT NULL, `description` varchar(256) DEFAULT NULL,
  `color` varchar(8) DEFAULT NULL, `icon` varchar(48) DEFAULT 'fas fa-bookmark', `group` varchar(32) DEFAULT NULL,
  `createdon` datetime DEFAULT NULL, `author` int(10) unsigned DEFAULT NULL, `ordering` int(10) unsigned DEFAULT 1,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_tax` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) DEFAULT '', `description` varchar(1024) DEFAULT '',
  `createdon` datetime DEFAULT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_tax_rule` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_tax` int(10) unsigned NOT NULL, `name` varchar(128) DEFAULT '',
  `operator` varchar(16) NOT NULL, `amount` decimal(10,4) DEFAULT 0.0000, `cap` decimal(10,2) DEFAULT 0.00,
  `apply` tinyint(1) DEFAULT 1, `breakdown` varchar(1024) DEFAULT NULL, `ordering` tinyint(2) unsigned DEFAULT 1,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_users` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `jid` int(10) DEFAULT 0, `country_code` varchar(2) DEFAULT '',
  `fields` text DEFAULT NULL, `billing_name` varchar(64) DEFAULT '', `billing_mail` varchar(64) DEFAULT '',
  `billing_phone` varchar(64) DEFAULT '', `billing_state` varchar(64) DEFAULT '', `billing_city` varchar(64) DEFAULT '',
  `billing_address` varchar(64) DEFAULT '', `billing_address_2` varchar(64) DEFAULT '', `billing_zip` varchar(12) DEFAULT '',
  `company` varchar(64) DEFAULT '', `vatnum` varchar(24) DEFAULT '', `ssn` varchar(32) DEFAULT '',
  `notes` varchar(2048) DEFAULT '', `image` varchar(128) DEFAULT '', `credit` decimal(10,2) DEFAULT 0.00,
  `lifetime` tinyint(1) unsigned DEFAULT 0, `active_to_date` datetime DEFAULT NULL, `active_since` datetime DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_user_notes` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `id_user` int(10) unsigned DEFAULT 0, `id_parent` int(10) unsigned DEFAULT 0,
  `group` varchar(32) DEFAULT NULL, `title` varchar(128) DEFAULT NULL, `content` text DEFAULT NULL,
  `attachments` varchar(1024) DEFAULT NULL, `status` tinyint(1) DEFAULT 0, `tags` varchar(256) DEFAULT NULL,
  `createdon` datetime DEFAULT NULL, `modifiedon` datetime DEFAULT NULL, `author` int(10) DEFAULT NULL,
  `secret` varchar(12) DEFAULT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}vikappointments_webhook` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT, `name` varchar(128) NOT NULL, `hook` varchar(128) NOT NULL,
  `url` varchar(1024) NOT NULL, `secret` varchar(128) DEFAULT NULL, `published` tinyint(1) DEFAULT 0,
  `params` varchar(2048) DEFAULT NULL, `createdon` datetime DEFAULT NULL, `modifiedon` datetime DEFAULT NULL,
  `lastping` datetime DEFAULT NULL, `failed` int(4) unsigned DEFAULT 0, `logkey` varchar(12) NOT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;

CREATE TABLE `{prefix}options` (
  `option_id` bigint(20) unsigned NOT NULL AUTO_INCREMENT, `option_name` varchar(191) NOT NULL DEFAULT '',
  `option_value` longtext NOT NULL, `autoload` varchar(20) NOT NULL DEFAULT 'yes', PRIMARY KEY (`option_id`),
  UNIQUE KEY `option_name` (`option_name`), KEY `autoload` (`autoload`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE `{prefix}users` (
  `ID` bigint(20) unsigned NOT NULL AUTO_INCREMENT, `user_login` varchar(60) NOT NULL DEFAULT '',
  `user_pass` varchar(255) NOT NULL DEFAULT '', `user_nicename` varchar(50) NOT NULL DEFAULT '',
  `user_email` varchar(100) NOT NULL DEFAULT '', `user_url` varchar(100) NOT NULL DEFAULT '',
  `user_registered` datetime NOT NULL DEFAULT '0000-00-00 00:00:00', `user_activation_key` varchar(255) NOT NULL DEFAULT '',
  `user_status` int(11) NOT NULL DEFAULT 0, `display_name` varchar(250) NOT NULL DEFAULT '', PRIMARY KEY (`ID`),
  KEY `user_login_key` (`user_login`), KEY `user_nicename` (`user_nicename`), KEY `user_email` (`user_email`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;

CREATE TABLE `{prefix}postmeta` (
  `meta_id` bigint(20) unsigned NOT NULL AUTO_INCREMENT, `post_id` bigint(20) unsigned NOT NULL DEFAULT 0,
  `meta_key` varchar(255) DEFAULT NULL, `meta_value` longtext DEFAULT NULL, PRIMARY KEY (`meta_id`), KEY `post_id` (`post_id`),
  KEY `meta_key` (`meta_key`(191))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
