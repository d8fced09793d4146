-- The rows before the first case, made by go test -update. The tables are those of dbtest's salon.
TRUNCATE TABLE `wp_options`;
TRUNCATE TABLE `wp_postmeta`;
TRUNCATE TABLE `wp_users`;
TRUNCATE TABLE `wp_vikappointments_cf_service_assoc`;
TRUNCATE TABLE `wp_vikappointments_cities`;
TRUNCATE TABLE `wp_vikappointments_config`;
TRUNCATE TABLE `wp_vikappointments_countries`;
TRUNCATE TABLE `wp_vikappointments_coupon`;
TRUNCATE TABLE `wp_vikappointments_coupon_employee_assoc`;
TRUNCATE TABLE `wp_vikappointments_coupon_group`;
TRUNCATE TABLE `wp_vikappointments_coupon_service_assoc`;
TRUNCATE TABLE `wp_vikappointments_custfields`;
TRUNCATE TABLE `wp_vikappointments_emp_worktime`;
TRUNCATE TABLE `wp_vikappointments_employee`;
TRUNCATE TABLE `wp_vikappointments_employee_group`;
TRUNCATE TABLE `wp_vikappointments_employee_location`;
TRUNCATE TABLE `wp_vikappointments_gpayments`;
TRUNCATE TABLE `wp_vikappointments_group`;
TRUNCATE TABLE `wp_vikappointments_invoice`;
TRUNCATE TABLE `wp_vikappointments_lang_customf`;
TRUNCATE TABLE `wp_vikappointments_lang_empgroup`;
TRUNCATE TABLE `wp_vikappointments_lang_employee`;
TRUNCATE TABLE `wp_vikappointments_lang_group`;
TRUNCATE TABLE `wp_vikappointments_lang_option`;
TRUNCATE TABLE `wp_vikappointments_lang_option_group`;
TRUNCATE TABLE `wp_vikappointments_lang_option_value`;
TRUNCATE TABLE `wp_vikappointments_lang_package`;
TRUNCATE TABLE `wp_vikappointments_lang_package_group`;
TRUNCATE TABLE `wp_vikappointments_lang_payment`;
TRUNCATE TABLE `wp_vikappointments_lang_service`;
TRUNCATE TABLE `wp_vikappointments_lang_status_code`;
TRUNCATE TABLE `wp_vikappointments_option`;
TRUNCATE TABLE `wp_vikappointments_option_group`;
TRUNCATE TABLE `wp_vikappointments_option_value`;
TRUNCATE TABLE `wp_vikappointments_order_status`;
TRUNCATE TABLE `wp_vikappointments_package`;
TRUNCATE TABLE `wp_vikappointments_package_group`;
TRUNCATE TABLE `wp_vikappointments_package_order`;
TRUNCATE TABLE `wp_vikappointments_package_order_item`;
TRUNCATE TABLE `wp_vikappointments_package_service`;
TRUNCATE TABLE `wp_vikappointments_res_opt_assoc`;
TRUNCATE TABLE `wp_vikappointments_reservation`;
TRUNCATE TABLE `wp_vikappointments_ser_emp_assoc`;
TRUNCATE TABLE `wp_vikappointments_ser_opt_assoc`;
TRUNCATE TABLE `wp_vikappointments_service`;
TRUNCATE TABLE `wp_vikappointments_states`;
TRUNCATE TABLE `wp_vikappointments_status_code`;
TRUNCATE TABLE `wp_vikappointments_subscr_order`;
TRUNCATE TABLE `wp_vikappointments_subscription`;
TRUNCATE TABLE `wp_vikappointments_tag`;
TRUNCATE TABLE `wp_vikappointments_tax`;
TRUNCATE TABLE `wp_vikappointments_tax_rule`;
TRUNCATE TABLE `wp_vikappointments_user_notes`;
TRUNCATE TABLE `wp_vikappointments_users`;
TRUNCATE TABLE `wp_vikappointments_webhook`;
REPLACE INTO `wp_options` (`option_id`, `option_name`, `option_value`, `autoload`) VALUES
('1', 'siteurl', 'http://127.0.0.1:8199', 'yes'),
('2', 'home', 'http://127.0.0.1:8199', 'yes'),
('23', 'date_format', 'd/m/Y', 'yes'),
('24', 'time_format', 'H:i', 'yes'),
('3', 'blogname', 'Salone Bella', 'yes'),
('37', 'gmt_offset', '0', 'yes'),
('80', 'timezone_string', 'America/New_York', 'yes');
ALTER TABLE `wp_options` AUTO_INCREMENT = 141;
REPLACE INTO `wp_postmeta` (`meta_id`, `post_id`, `meta_key`, `meta_value`) VALUES
('1', '2', '_wp_page_template', 'default'),
('2', '3', '_wp_page_template', 'default');
ALTER TABLE `wp_postmeta` AUTO_INCREMENT = 3;
REPLACE INTO `wp_users` (`ID`, `user_login`, `user_pass`, `user_nicename`, `user_email`, `user_url`, `user_registered`, `user_activation_key`, `user_status`, `display_name`) VALUES
('1', 'boss', '', 'boss', 'boss@example.test', 'http://127.0.0.1:8199', '2026-11-29 01:05:44', '', '0', 'boss'),
('2', 'clara', '', 'clara', 'clara@example.test', '', '2026-11-29 01:07:33', '', '0', 'Clara Weiß'),
('3', 'dario', '', 'dario', 'dario@example.test', '', '2026-11-29 01:07:33', '', '0', 'Dario Neri'),
('4', 'emma', '', 'emma', 'emma@example.test', '', '2026-11-29 01:07:33', '', '0', 'Emma Staff');
ALTER TABLE `wp_users` AUTO_INCREMENT = 5;
ALTER TABLE `wp_vikappointments_cf_service_assoc` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_cities` AUTO_INCREMENT = 1;
REPLACE INTO `wp_vikappointments_config` (`id`, `param`, `setting`) VALUES
('10', 'ismultilang', '0'),
('16', 'dateformat', 'd/m/Y'),
('17', 'timeformat', 'h:i A'),
('174', 'webhooksmaxfail', '5'),
('175', 'webhooksuselog', '1'),
('176', 'webhookslogspath', ''),
('177', 'webhooksgroup', 'day'),
('25', 'keepapplock', '20'),
('40', 'multitimezone', '0'),
('58', 'currencysymb', '$'),
('59', 'currencyname', 'USD'),
('60', 'currsymbpos', '1'),
('61', 'currdecimalsep', '.'),
('62', 'currthousandssep', ','),
('63', 'currdecimaldig', '2'),
('64', 'currency_ecb_enabled', '0'),
('65', 'currency_floatrates_enabled', '0'),
('66', 'currency_currencyapi_enabled', '0'),
('67', 'currency_currencyapi_key', ''),
('68', 'currency_currencyapi_cache', '240'),
('69', 'defstatus', 'C'),
('84', 'usercredit', '0');
ALTER TABLE `wp_vikappointments_config` AUTO_INCREMENT = 183;
REPLACE INTO `wp_vikappointments_countries` (`id`, `country_name`, `country_2_code`, `country_3_code`, `phone_prefix`, `published`) VALUES
('109', 'Italy', 'IT', 'ITA', '+39', '1'),
('112', 'Jersey', 'JE', 'JEY', '+44 1534', '1');
ALTER TABLE `wp_vikappointments_countries` AUTO_INCREMENT = 248;
ALTER TABLE `wp_vikappointments_coupon` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_coupon_employee_assoc` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_coupon_group` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_coupon_service_assoc` AUTO_INCREMENT = 1;
REPLACE INTO `wp_vikappointments_custfields` (`id`, `name`, `formname`, `description`, `type`, `choose`, `multiple`, `required`, `ordering`, `rule`, `poplink`, `locale`, `repeat`, `readonly`, `id_employee`, `group`) VALUES
('1', 'CUSTOMF_NAME', '', NULL, 'text', '', '0', '1', '1', 'nominative', NULL, '*', '0', '0', '-1', '0'),
('2', 'CUSTOMF_LNAME', '', NULL, 'text', '', '0', '1', '2', 'nominative', NULL, '*', '0', '0', '-1', '0'),
('3', 'CUSTOMF_EMAIL', '', NULL, 'text', '', '0', '1', '3', 'email', NULL, '*', '0', '0', '-1', '0'),
('4', 'CUSTOMF_PHONE', '', NULL, 'text', 'US', '0', '0', '4', 'phone', NULL, '*', '0', '0', '-1', '0'),
('5', 'I read and accept the terms and conditions', '', NULL, 'checkbox', NULL, '0', '1', '5', '0', 'http://127.0.0.1:8199/?page_id=3', '*', '0', '0', '-1', '0');
ALTER TABLE `wp_vikappointments_custfields` AUTO_INCREMENT = 6;
ALTER TABLE `wp_vikappointments_emp_worktime` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_employee` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_employee_group` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_employee_location` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_gpayments` AUTO_INCREMENT = 1;
REPLACE INTO `wp_vikappointments_group` (`id`, `name`, `description`, `ordering`) VALUES
('1', 'Hair / Colour', NULL, '1'),
('2', 'Classes', NULL, '2');
ALTER TABLE `wp_vikappointments_group` AUTO_INCREMENT = 3;
ALTER TABLE `wp_vikappointments_invoice` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_lang_customf` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_lang_empgroup` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_lang_employee` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_lang_group` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_lang_option` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_lang_option_group` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_lang_option_value` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_lang_package` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_lang_package_group` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_lang_payment` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_lang_service` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_lang_status_code` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_option` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_option_group` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_option_value` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_order_status` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_package` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_package_group` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_package_order` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_package_order_item` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_package_service` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_res_opt_assoc` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_reservation` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_ser_emp_assoc` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_ser_opt_assoc` AUTO_INCREMENT = 1;
REPLACE INTO `wp_vikappointments_service` (`id`, `name`, `alias`, `description`, `duration`, `sleep`, `interval`, `minrestr`, `mindate`, `maxdate`, `price`, `id_tax`, `max_capacity`, `min_per_res`, `max_per_res`, `priceperpeople`, `app_per_slot`, `published`, `quick_contact`, `choose_emp`, `random_emp`, `enablezip`, `use_recurrence`, `image`, `start_publishing`, `end_publishing`, `has_own_cal`, `checkout_selection`, `display_seats`, `id_group`, `level`, `color`, `createdby`, `ordering`, `metadata`, `attachments`) VALUES
('1', 'Balayage & Cut', 'balayage-cut', '<p>Colour <b>and</b> cut — “deluxe”</p>', '90', '10', '1', '-1', '-1', '-1', '120.50', '0', '1', '1', '1', '0', '1', '1', '0', '1', '0', '0', '0', '', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0', '0', '0', '1', '1', '428BCA', '0', '1', '[]', '[]'),
('2', 'Hot-stone massage', 'hot-stone-massage', 'Relax &amp; unwind', '60', '15', '1', '-1', '-1', '-1', '80.00', '1', '5', '1', '4', '1', '1', '1', '0', '1', '0', '0', '1', '', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0', '0', '1', '1', '1', '5CB85C', '0', '2', '{"title":"Massage <NYC>","keywords":"hot,stone"}', '[]'),
('3', 'Yoga "sunrise" class', 'yoga-sunrise-class', '', '45', '0', '1', '-1', '-1', '-1', '15.50', '0', '10', '1', '10', '0', '0', '1', '0', '0', '0', '0', '1', '', '2026-01-01 13:00:00', '2029-12-31 13:00:00', '0', '0', '1', '2', '1', 'AD4363', '0', '3', '[]', '[]');
ALTER TABLE `wp_vikappointments_service` AUTO_INCREMENT = 4;
REPLACE INTO `wp_vikappointments_states` (`id`, `id_country`, `state_name`, `state_2_code`, `state_3_code`, `published`) VALUES
('233', '109', 'Agrigento', 'AG', 'AGR', '1'),
('234', '109', 'Alessandria', 'AL', 'ALE', '1'),
('235', '109', 'Ancona', 'AN', 'ANC', '1'),
('236', '109', 'Aosta', 'AO', 'AOS', '1'),
('237', '109', 'Arezzo', 'AR', 'ARE', '1'),
('238', '109', 'Ascoli Piceno', 'AP', 'API', '1'),
('239', '109', 'Asti', 'AT', 'AST', '1'),
('240', '109', 'Avellino', 'AV', 'AVE', '1'),
('241', '109', 'Bari', 'BA', 'BAR', '1'),
('242', '109', 'Belluno', 'BL', 'BEL', '1'),
('243', '109', 'Benevento', 'BN', 'BEN', '1'),
('244', '109', 'Bergamo', 'BG', 'BEG', '1'),
('245', '109', 'Biella', 'BI', 'BIE', '1'),
('246', '109', 'Bologna', 'BO', 'BOL', '1'),
('247', '109', 'Bolzano', 'BZ', 'BOZ', '1'),
('248', '109', 'Brescia', 'BS', 'BRE', '1'),
('249', '109', 'Brindisi', 'BR', 'BRI', '1'),
('250', '109', 'Cagliari', 'CA', 'CAG', '1'),
('251', '109', 'Caltanissetta', 'CL', 'CAL', '1'),
('252', '109', 'Campobasso', 'CB', 'CBO', '1'),
('253', '109', 'Carbonia-Iglesias', 'CI', 'CAR', '1'),
('254', '109', 'Caserta', 'CE', 'CAS', '1'),
('255', '109', 'Catania', 'CT', 'CAT', '1'),
('256', '109', 'Catanzaro', 'CZ', 'CTZ', '1'),
('257', '109', 'Chieti', 'CH', 'CHI', '1'),
('258', '109', 'Como', 'CO', 'COM', '1'),
('259', '109', 'Cosenza', 'CS', 'COS', '1'),
('260', '109', 'Cremona', 'CR', 'CRE', '1'),
('261', '109', 'Crotone', 'KR', 'CRO', '1'),
('262', '109', 'Cuneo', 'CN', 'CUN', '1'),
('263', '109', 'Enna', 'EN', 'ENN', '1'),
('264', '109', 'Ferrara', 'FE', 'FER', '1'),
('265', '109', 'Firenze', 'FI', 'FIR', '1'),
('266', '109', 'Foggia', 'FG', 'FOG', '1'),
('267', '109', 'Forli-Cesena', 'FC', 'FOC', '1'),
('268', '109', 'Frosinone', 'FR', 'FRO', '1'),
('269', '109', 'Genova', 'GE', 'GEN', '1'),
('270', '109', 'Gorizia', 'GO', 'GOR', '1'),
('271', '109', 'Grosseto', 'GR', 'GRO', '1'),
('272', '109', 'Imperia', 'IM', 'IMP', '1'),
('273', '109', 'Isernia', 'IS', 'ISE', '1'),
('274', '109', 'L\'Aquila', 'AQ', 'AQU', '1'),
('275', '109', 'La Spezia', 'SP', 'LAS', '1'),
('276', '109', 'Latina', 'LT', 'LAT', '1'),
('277', '109', 'Lecce', 'LE', 'LEC', '1'),
('278', '109', 'Lecco', 'LC', 'LCC', '1'),
('279', '109', 'Livorno', 'LI', 'LIV', '1'),
('280', '109', 'Lodi', 'LO', 'LOD', '1'),
('281', '109', 'Lucca', 'LU', 'LUC', '1'),
('282', '109', 'Macerata', 'MC', 'MAC', '1'),
('283', '109', 'Mantova', 'MN', 'MAN', '1'),
('284', '109', 'Massa-Carrara', 'MS', 'MAS', '1'),
('285', '109', 'Matera', 'MT', 'MAA', '1'),
('286', '109', 'Medio Campidano', 'VS', 'MED', '1'),
('287', '109', 'Messina', 'ME', 'MES', '1'),
('288', '109', 'Milano', 'MI', 'MIL', '1'),
('289', '109', 'Modena', 'MO', 'MOD', '1'),
('290', '109', 'Napoli', 'NA', 'NAP', '1'),
('291', '109', 'Novara', 'NO', 'NOV', '1'),
('292', '109', 'Nuoro', 'NU', 'NUR', '1'),
('293', '109', 'Ogliastra', 'OG', 'OGL', '1'),
('294', '109', 'Olbia-Tempio', 'OT', 'OLB', '1'),
('295', '109', 'Oristano', 'OR', 'ORI', '1'),
('296', '109', 'Padova', 'PD', 'PDA', '1'),
('297', '109', 'Palermo', 'PA', 'PAL', '1'),
('298', '109', 'Parma', 'PR', 'PAA', '1'),
('299', '109', 'Pavia', 'PV', 'PAV', '1'),
('300', '109', 'Perugia', 'PG', 'PER', '1'),
('301', '109', 'Pesaro e Urbino', 'PU', 'PES', '1'),
('302', '109', 'Pescara', 'PE', 'PSC', '1'),
('303', '109', 'Piacenza', 'PC', 'PIA', '1'),
('304', '109', 'Pisa', 'PI', 'PIS', '1'),
('305', '109', 'Pistoia', 'PT', 'PIT', '1'),
('306', '109', 'Pordenone', 'PN', 'POR', '1'),
('307', '109', 'Potenza', 'PZ', 'PTZ', '1'),
('308', '109', 'Prato', 'PO', 'PRA', '1'),
('309', '109', 'Ragusa', 'RG', 'RAG', '1'),
('310', '109', 'Ravenna', 'RA', 'RAV', '1'),
('311', '109', 'Reggio Calabria', 'RC', 'REG', '1'),
('312', '109', 'Reggio Emilia', 'RE', 'REE', '1'),
('313', '109', 'Rieti', 'RI', 'RIE', '1'),
('314', '109', 'Rimini', 'RN', 'RIM', '1'),
('315', '109', 'Roma', 'RM', 'ROM', '1'),
('316', '109', 'Rovigo', 'RO', 'ROV', '1'),
('317', '109', 'Salerno', 'SA', 'SAL', '1'),
('318', '109', 'Sassari', 'SS', 'SAS', '1'),
('319', '109', 'Savona', 'SV', 'SAV', '1'),
('320', '109', 'Siena', 'SI', 'SIE', '1'),
('321', '109', 'Siracusa', 'SR', 'SIR', '1'),
('322', '109', 'Sondrio', 'SO', 'SOO', '1'),
('323', '109', 'Taranto', 'TA', 'TAR', '1'),
('324', '109', 'Teramo', 'TE', 'TER', '1'),
('325', '109', 'Terni', 'TR', 'TRN', '1'),
('326', '109', 'Torino', 'TO', 'TOR', '1'),
('327', '109', 'Trapani', 'TP', 'TRA', '1'),
('328', '109', 'Trento', 'TN', 'TRE', '1'),
('329', '109', 'Treviso', 'TV', 'TRV', '1'),
('330', '109', 'Trieste', 'TS', 'TRI', '1'),
('331', '109', 'Udine', 'UD', 'UDI', '1'),
('332', '109', 'Varese', 'VA', 'VAR', '1'),
('333', '109', 'Venezia', 'VE', 'VEN', '1'),
('334', '109', 'Verbano Cusio Ossola', 'VB', 'VCO', '1'),
('335', '109', 'Vercelli', 'VC', 'VER', '1'),
('336', '109', 'Verona', 'VR', 'VRN', '1'),
('337', '109', 'Vibo Valenzia', 'VV', 'VIV', '1'),
('338', '109', 'Vicenza', 'VI', 'VII', '1'),
('339', '109', 'Viterbo', 'VT', 'VIT', '1');
ALTER TABLE `wp_vikappointments_states` AUTO_INCREMENT = 524;
REPLACE INTO `wp_vikappointments_status_code` (`id`, `name`, `description`, `code`, `color`, `ordering`, `appointments`, `packages`, `subscriptions`, `approved`, `reserved`, `expired`, `cancelled`, `paid`) VALUES
('1', 'Confirmed', NULL, 'C', '008000', '1', '1', '1', '1', '1', '1', '0', '0', '0'),
('2', 'Paid', NULL, 'P', '339CCC', '2', '1', '1', '1', '1', '1', '0', '0', '1'),
('3', 'Pending', NULL, 'W', 'FF7000', '3', '1', '1', '1', '0', '1', '0', '0', '0'),
('4', 'Removed', NULL, 'E', '990000', '4', '1', '0', '0', '0', '0', '1', '0', '0'),
('5', 'Cancelled', NULL, 'X', 'F01B17', '5', '1', '1', '1', '0', '0', '0', '1', '0'),
('6', 'Refunded', NULL, 'R', '8116C9', '6', '1', '1', '1', '0', '0', '0', '1', '1'),
('7', 'No-Show', NULL, 'N', '828282', '7', '1', '0', '0', '1', '1', '0', '0', '0');
ALTER TABLE `wp_vikappointments_status_code` AUTO_INCREMENT = 8;
ALTER TABLE `wp_vikappointments_subscr_order` AUTO_INCREMENT = 1;
REPLACE INTO `wp_vikappointments_subscription` (`id`, `name`, `description`, `amount`, `type`, `price`, `id_tax`, `published`, `trial`, `group`, `services`, `ordering`) VALUES
('1', 'One Week', NULL, '1', '2', '0.00', '0', '0', '1', '0', NULL, '1'),
('2', 'One Month', NULL, '1', '3', '30.00', '0', '0', '0', '0', NULL, '2'),
('3', 'Six Months', NULL, '6', '3', '162.00', '0', '0', '0', '0', NULL, '3'),
('4', 'One Year', NULL, '1', '4', '292.00', '0', '0', '0', '0', NULL, '4'),
('5', 'One Week', NULL, '1', '2', '0.00', '0', '0', '1', '1', NULL, '1'),
('6', 'One Month', NULL, '1', '3', '30.00', '0', '0', '0', '1', NULL, '2'),
('7', 'Six Months', NULL, '6', '3', '162.00', '0', '0', '0', '1', NULL, '3'),
('8', 'One Year', NULL, '1', '4', '292.00', '0', '0', '0', '1', NULL, '4');
ALTER TABLE `wp_vikappointments_subscription` AUTO_INCREMENT = 9;
ALTER TABLE `wp_vikappointments_tag` AUTO_INCREMENT = 1;
REPLACE INTO `wp_vikappointments_tax` (`id`, `name`, `description`, `createdon`) VALUES
('1', 'Sales tax NY', '8.875', '2026-11-29 01:11:01');
ALTER TABLE `wp_vikappointments_tax` AUTO_INCREMENT = 2;
REPLACE INTO `wp_vikappointments_tax_rule` (`id`, `id_tax`, `name`, `operator`, `amount`, `cap`, `apply`, `breakdown`, `ordering`) VALUES
('1', '1', 'State', 'add', '4.0000', '0.00', '1', '[{"name":"NY State","amount":4}]', '1'),
('2', '1', 'City', 'add', '4.8750', '0.00', '1', '[]', '2');
ALTER TABLE `wp_vikappointments_tax_rule` AUTO_INCREMENT = 3;
ALTER TABLE `wp_vikappointments_user_notes` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_users` AUTO_INCREMENT = 1;
REPLACE INTO `wp_vikappointments_webhook` (`id`, `name`, `hook`, `url`, `secret`, `published`, `params`, `createdon`, `modifiedon`, `lastping`, `failed`, `logkey`) VALUES
('1', 'onAfterSaveReservation {"type":"insert","statuses":"","load":"basic"}', 'onAfterSaveReservation', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"insert","statuses":"","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000001'),
('10', 'onAfterSavePackorder {"type":"insert","load":"basic"}', 'onAfterSavePackorder', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"insert","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000010'),
('13', 'onAfterSavePackorder {"type":"update","load":"basic"}', 'onAfterSavePackorder', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"update","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000013'),
('16', 'onAfterSavePackorder {"type":"both","load":"basic"}', 'onAfterSavePackorder', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"both","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000016'),
('17', 'onAfterSavePackorder {"type":"both","load":"full"}', 'onAfterSavePackorder', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"both","load":"full"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000017'),
('18', 'onAfterSavePackorder {"type":"both","load":"extended"}', 'onAfterSavePackorder', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"both","load":"extended"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000018'),
('19', 'onAfterSaveCustomer {"type":"insert","load":"basic"}', 'onAfterSaveCustomer', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"insert","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000019'),
('21', 'onAfterSaveCustomer {"type":"update","load":"basic"}', 'onAfterSaveCustomer', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"update","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000021'),
('23', 'onAfterSaveCustomer {"type":"both","load":"basic"}', 'onAfterSaveCustomer', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"both","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000023'),
('24', 'onAfterSaveCustomer {"type":"both","load":"full"}', 'onAfterSaveCustomer', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"both","load":"full"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000024'),
('25', 'onAfterSaveEmployee {"type":"insert","load":"basic"}', 'onAfterSaveEmployee', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"insert","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000025'),
('27', 'onAfterSaveEmployee {"type":"update","load":"basic"}', 'onAfterSaveEmployee', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"update","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000027'),
('29', 'onAfterSaveEmployee {"type":"both","load":"basic"}', 'onAfterSaveEmployee', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"both","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000029'),
('30', 'onAfterSaveEmployee {"type":"both","load":"full"}', 'onAfterSaveEmployee', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"both","load":"full"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000030'),
('31', 'onAfterSaveService {"type":"insert","load":"basic"}', 'onAfterSaveService', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"insert","load":"basic"}', '2026-11-29 01:07:34', NULL, '2026-11-29 01:11:08', '0', 'K00000000031'),
('33', 'onAfterSaveService {"type":"update","load":"basic"}', 'onAfterSaveService', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"update","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000033'),
('35', 'onAfterSaveService {"type":"both","load":"basic"}', 'onAfterSaveService', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"both","load":"basic"}', '2026-11-29 01:07:34', NULL, '2026-11-29 01:11:08', '0', 'K00000000035'),
('36', 'onAfterSaveService {"type":"both","load":"full"}', 'onAfterSaveService', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"both","load":"full"}', '2026-11-29 01:07:34', NULL, '2026-11-29 01:11:08', '0', 'K00000000036'),
('37', 'onAfterSaveCoupon {"type":"insert","load":"basic"}', 'onAfterSaveCoupon', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"insert","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000037'),
('39', 'onAfterSaveCoupon {"type":"update","load":"basic"}', 'onAfterSaveCoupon', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"update","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000039'),
('4', 'onAfterSaveReservation {"type":"update","statuses":"","load":"basic"}', 'onAfterSaveReservation', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"update","statuses":"","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000004'),
('41', 'onAfterSaveCoupon {"type":"both","load":"basic"}', 'onAfterSaveCoupon', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"both","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000041'),
('42', 'onAfterSaveCoupon {"type":"both","load":"full"}', 'onAfterSaveCoupon', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"both","load":"full"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000042'),
('43', 'onAfterSaveReservation {"type":"both","statuses":["C"],"load":"basic"}', 'onAfterSaveReservation', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"both","statuses":["C"],"load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000043'),
('46', 'onAfterSaveReservation', 'onAfterSaveReservation', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', NULL, '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000046'),
('47', 'onStatusChangeReservation {"statuses":"","load":"basic"}', 'onStatusChangeReservation', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"statuses":"","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000047'),
('48', 'onStatusChangeReservation {"statuses":"","load":"full"}', 'onStatusChangeReservation', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"statuses":"","load":"full"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000048'),
('49', 'onStatusChangeReservation {"statuses":"","load":"extended"}', 'onStatusChangeReservation', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"statuses":"","load":"extended"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000049'),
('50', 'onStatusChangeReservation {"statuses":["X","E"],"load":"basic"}', 'onStatusChangeReservation', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"statuses":["X","E"],"load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000050'),
('52', 'onStatusChangeReservation', 'onStatusChangeReservation', 'http://127.0.0.1:46439/hook', '', '1', NULL, '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000052'),
('53', 'onStatusChangePackageorder {"statuses":"","load":"basic"}', 'onStatusChangePackageorder', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"statuses":"","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000053'),
('54', 'onStatusChangePackageorder {"statuses":"","load":"full"}', 'onStatusChangePackageorder', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"statuses":"","load":"full"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000054'),
('55', 'onStatusChangePackageorder {"statuses":"","load":"extended"}', 'onStatusChangePackageorder', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"statuses":"","load":"extended"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000055'),
('56', 'onStatusChangePackageorder {"statuses":["X","E"],"load":"basic"}', 'onStatusChangePackageorder', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"statuses":["X","E"],"load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000056'),
('58', 'onStatusChangePackageorder', 'onStatusChangePackageorder', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', NULL, '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000058'),
('59', 'onAfterDeleteReservation []', 'onAfterDeleteReservation', 'http://127.0.0.1:46439/hook', 's3cr3t', '0', '[]', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000059'),
('60', 'onAfterDeletePackorder []', 'onAfterDeletePackorder', 'http://127.0.0.1:46439/hook', 's3cr3t', '0', '[]', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000060'),
('61', 'onAfterDeleteCustomer []', 'onAfterDeleteCustomer', 'http://127.0.0.1:46439/hook', 's3cr3t', '0', '[]', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000061'),
('62', 'onAfterDeleteEmployee []', 'onAfterDeleteEmployee', 'http://127.0.0.1:46439/hook', 's3cr3t', '0', '[]', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000062'),
('63', 'onAfterDeleteService []', 'onAfterDeleteService', 'http://127.0.0.1:46439/hook', 's3cr3t', '0', '[]', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000063'),
('64', 'onAfterDeleteCoupon []', 'onAfterDeleteCoupon', 'http://127.0.0.1:46439/hook', 's3cr3t', '0', '[]', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000064'),
('7', 'onAfterSaveReservation {"type":"both","statuses":"","load":"basic"}', 'onAfterSaveReservation', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"both","statuses":"","load":"basic"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000007'),
('8', 'onAfterSaveReservation {"type":"both","statuses":"","load":"full"}', 'onAfterSaveReservation', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"both","statuses":"","load":"full"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000008'),
('9', 'onAfterSaveReservation {"type":"both","statuses":"","load":"extended"}', 'onAfterSaveReservation', 'http://127.0.0.1:46439/hook', 's3cr3t', '1', '{"type":"both","statuses":"","load":"extended"}', '2026-11-29 01:07:34', NULL, NULL, '0', 'K00000000009');
ALTER TABLE `wp_vikappointments_webhook` AUTO_INCREMENT = 119;
