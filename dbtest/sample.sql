-- A small salon: three services, three employees, four customers, two locations. Everybody in it is invented.

INSERT INTO `{prefix}options` (`option_name`, `option_value`) VALUES
  ('siteurl', 'http://salon.example.test'), ('home', 'http://salon.example.test'), ('blogname', 'Salon Aurora'),
  ('timezone_string', 'Europe/Rome'), ('gmt_offset', '0'), ('date_format', 'F j, Y'), ('time_format', 'g:i a'), ('WPLANG', '');

INSERT INTO `{prefix}users` (`user_login`, `user_nicename`, `user_email`, `user_registered`, `display_name`) VALUES
  ('admin', 'admin', 'admin@salon.example.test', '2026-01-02 08:00:00', 'Salon Admin'),
  ('greta', 'greta', 'greta@example.test', '2026-02-03 09:30:00', 'Greta Lund');

INSERT INTO `{prefix}vikappointments_config` (`param`, `setting`) VALUES
  ('version', '1.2.15'), ('agencyname', 'Salon Aurora'), ('adminemail', 'admin@salon.example.test'),
  ('dateformat', 'Y-m-d'), ('timeformat', 'H:i'), ('keepapplock', '15'), ('usercredit', '0'), ('multitimezone', '0'), ('ismultilang', '0'),
  ('currencysymb', '€'), ('currencyname', 'EUR'), ('currdecimalsep', '.'), ('currthousandssep', ','), ('currdecimaldig', '2'),
  ('currsymbpos', '1'), ('usetaxbd', '0'), ('defstatus', 'W'), ('enablecart', '1'), ('enablepackages', '1'),
  ('webhooksmaxfail', '5'), ('webhooksuselog', '1'), ('webhookslogspath', ''), ('webhooksgroup', 'day');

INSERT INTO `{prefix}vikappointments_status_code`
  (`name`, `code`, `color`, `ordering`, `appointments`, `packages`, `subscriptions`, `approved`, `reserved`, `expired`, `cancelled`, `paid`) VALUES
  ('Confirmed', 'C', '2E7D32', 1, 1, 1, 1, 1, 1, 0, 0, 0),
  ('Paid',      'P', '1565C0', 2, 1, 1, 1, 1, 1, 0, 0, 1),
  ('Pending',   'W', 'EF6C00', 3, 1, 1, 1, 0, 1, 0, 0, 0),
  ('Removed',   'E', '8E0000', 4, 1, 0, 0, 0, 0, 1, 0, 0),
  ('Cancelled', 'X', 'C62828', 5, 1, 1, 1, 0, 0, 0, 1, 0),
  ('Refunded',  'R', '6A1B9A', 6, 1, 1, 1, 0, 0, 0, 1, 1),
  ('No-Show',   'N', '757575', 7, 1, 0, 0, 1, 1, 0, 0, 0);

INSERT INTO `{prefix}vikappointments_custfields` (`name`, `type`, `required`, `ordering`, `rule`) VALUES
  ('CUSTOMF_NAME', 'text', 1, 1, 'nominative'), ('CUSTOMF_LNAME', 'text', 1, 2, 'nominative'),
  ('CUSTOMF_EMAIL', 'text', 1, 3, 'email'), ('CUSTOMF_PHONE', 'text', 0, 4, 'phone');

INSERT INTO `{prefix}vikappointments_group` (`name`, `description`, `ordering`) VALUES
  ('Hair', 'Cut, colour and care', 1), ('Hands', '', 2);

INSERT INTO `{prefix}vikappointments_service`
  (`name`, `alias`, `description`, `duration`, `sleep`, `price`, `max_capacity`, `max_per_res`, `published`, `id_group`, `color`, `ordering`) VALUES
  ('Cut & blow-dry', 'cut-blow-dry', '<p>Wash, cut, "finish"</p>', 45, 5, 38.00, 1, 1, 1, 1, 'AA3377', 1),
  ('Colour', 'colour', '<p>Full colour</p>', 90, 10, 79.50, 1, 1, 1, 1, '4477AA', 2),
  ('Nail course', 'nail-course', '<p>Learn it: up to six people</p>', 120, 0, 25.00, 6, 3, 1, 2, '228833', 3);

INSERT INTO `{prefix}vikappointments_employee_group` (`name`, `description`, `ordering`) VALUES ('Stylists', 'All of them', 1);

INSERT INTO `{prefix}vikappointments_employee`
  (`firstname`, `lastname`, `nickname`, `alias`, `email`, `notify`, `phone`, `note`, `synckey`, `id_group`, `timezone`) VALUES
  ('Zoë', 'Martens', 'Zoë', 'zoe', 'zoe@salon.example.test', 1, '+39 010 5550101', '', 'SALONKEY0001', 1, ''),
  ('Tomas', 'Novak', 'Tom', 'tom', 'tom@salon.example.test', 0, '+39 010 5550102', 'on Mondays only', 'SALONKEY0002', 1, 'Europe/Prague'),
  ('Ines', 'Duarte', 'Ines D.', 'ines-d', 'ines@salon.example.test', 0, '', '', 'SALONKEY0003', -1, 'America/Sao_Paulo');

INSERT INTO `{prefix}vikappointments_ser_emp_assoc` (`id_service`, `id_employee`, `rate`, `duration`, `sleep`, `max_capacity`, `ordering`) VALUES
  (1, 1, 38.00, 45, 5, 1, 1), (1, 2, 42.00, 40, 5, 1, 2), (2, 1, 79.50, 90, 10, 1, 1), (3, 3, 25.00, 120, 0, 6, 1);

INSERT INTO `{prefix}vikappointments_countries` (`country_name`, `country_2_code`, `country_3_code`, `phone_prefix`) VALUES
  ('Italy', 'IT', 'ITA', '+39'), ('Czech Republic', 'CZ', 'CZE', '+420'), ('Portugal', 'PT', 'PRT', '+351');
INSERT INTO `{prefix}vikappointments_states` (`id_country`, `state_name`, `state_2_code`, `state_3_code`) VALUES (1, 'Genova', 'GE', 'GEN');
INSERT INTO `{prefix}vikappointments_cities` (`id_state`, `city_name`, `city_2_code`, `city_3_code`, `longitude`, `latitude`) VALUES
  (1, 'Camogli', 'CM', 'CML', 9.15600000, 44.34800000);
INSERT INTO `{prefix}vikappointments_employee_location`
  (`name`, `id_employee`, `id_country`, `id_state`, `id_city`, `address`, `zip`, `longitude`, `latitude`) VALUES
  ('Harbour', -1, 1, 1, 1, 'Via Inventata 4', '16032', 9.15520000, 44.34910000),
  ('Upstairs', 3, 1, 1, -1, 'Vico Storto 9', '16100', NULL, NULL);

-- Working hours, in minutes of the day: Monday to Friday for all, and one closed Christmas day.
INSERT INTO `{prefix}vikappointments_emp_worktime` (`id_employee`, `id_service`, `day`, `fromts`, `endts`, `id_location`)
  SELECT e.`id`, -1, d.`day`, 540, 1080, IF(e.`id` = 3, 2, 1)
  FROM `{prefix}vikappointments_employee` e
  JOIN (SELECT 1 AS `day` UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5) d
  ORDER BY e.`id`, d.`day`;
INSERT INTO `{prefix}vikappointments_emp_worktime` (`id_employee`, `day`, `fromts`, `endts`, `ts`, `tsdate`, `closed`) VALUES
  (1, 5, 0, 0, 1829692800, '2027-12-25', 1);

INSERT INTO `{prefix}vikappointments_option` (`name`, `description`, `price`, `single`, `maxq`, `ordering`) VALUES
  ('Hair mask', 'Ten minutes more', 9.00, 0, 1, 1), ('Take home', 'A bottle for later', 14.80, 1, 3, 2);
INSERT INTO `{prefix}vikappointments_option_value` (`id_option`, `name`, `inc_price`, `ordering`) VALUES
  (2, 'small', 0.00, 1), (2, 'large', 6.20, 2);
INSERT INTO `{prefix}vikappointments_ser_opt_assoc` (`id_service`, `id_option`) VALUES (1, 1), (1, 2), (2, 1);

INSERT INTO `{prefix}vikappointments_gpayments` (`name`, `file`, `published`, `prenote`, `note`, `charge`, `icontype`, `icon`) VALUES
  ('At the desk', 'offline_credit_card.php', 1, '<p>Pay when you come.</p>', '', 0.0000, 1, 'fas fa-store'),
  ('Bank transfer', 'bank_transfer.php', 1, '', '<p>See you soon!</p>', 1.5000, 0, '');

INSERT INTO `{prefix}vikappointments_users`
  (`jid`, `country_code`, `fields`, `billing_name`, `billing_mail`, `billing_phone`, `billing_city`, `billing_address`, `billing_zip`, `company`) VALUES
  (2, 'IT', '{"CUSTOMF_NAME":"Greta","CUSTOMF_LNAME":"Lund"}', 'Greta Lund', 'greta@example.test', '+39 347 5550110', 'Camogli', 'Via Inventata 8', '16032', ''),
  (0, 'CZ', '{"CUSTOMF_NAME":"Ondřej","CUSTOMF_LNAME":"Říha"}', 'Ondřej Říha', 'ondrej@example.test', '+420 601 555 011', 'Brno', 'Vymyšlená 3', '60200', 'Říha s.r.o.'),
  (0, 'PT', '{"CUSTOMF_NAME":"Marta"}', 'Marta d''Ávila', 'marta@example.test', '', '', '', '', ''),
  (0, 'IT', NULL, 'Piero Bo', 'piero@example.test', '010 5550113', 'Genova', '', '16100', '');

INSERT INTO `{prefix}vikappointments_coupon` (`code`, `type`, `percentot`, `value`, `max_quantity`, `notes`) VALUES
  ('HELLO10', 1, 1, 10.00, 1, 'ten percent'), ('FIVER', 2, 2, 5.00, 20, '');

INSERT INTO `{prefix}vikappointments_package_group` (`title`, `description`) VALUES ('Season cards', '');
INSERT INTO `{prefix}vikappointments_package` (`name`, `description`, `price`, `num_app`, `published`, `validity`, `id_group`) VALUES
  ('Five cuts', '<p>One is free</p>', 152.00, 5, 1, 180, 1), ('Colour for a year', '', 420.00, 6, 1, 365, 1);
INSERT INTO `{prefix}vikappointments_package_service` (`id_package`, `id_service`) VALUES (1, 1), (2, 2);
