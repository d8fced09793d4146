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
('1', 'siteurl', 'http://127.0.0.1:8099', 'yes'),
('2', 'home', 'http://127.0.0.1:8099', 'yes'),
('23', 'date_format', 'F j, Y', 'yes'),
('24', 'time_format', 'g:i a', 'yes'),
('3', 'blogname', 'Oracle', 'yes'),
('37', 'gmt_offset', '0', 'yes'),
('80', 'timezone_string', 'Europe/Rome', 'yes');
ALTER TABLE `wp_options` AUTO_INCREMENT = 133;
REPLACE INTO `wp_postmeta` (`meta_id`, `post_id`, `meta_key`, `meta_value`) VALUES
('1', '2', '_wp_page_template', 'default'),
('2', '3', '_wp_page_template', 'default');
ALTER TABLE `wp_postmeta` AUTO_INCREMENT = 3;
REPLACE INTO `wp_users` (`ID`, `user_login`, `user_pass`, `user_nicename`, `user_email`, `user_url`, `user_registered`, `user_activation_key`, `user_status`, `display_name`) VALUES
('1', 'admin', '', 'admin', 'admin@example.test', 'http://127.0.0.1:8099', '2026-11-23 08:35:00', '', '0', 'admin');
ALTER TABLE `wp_users` AUTO_INCREMENT = 2;
ALTER TABLE `wp_vikappointments_cf_service_assoc` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_cities` AUTO_INCREMENT = 1;
REPLACE INTO `wp_vikappointments_config` (`id`, `param`, `setting`) VALUES
('10', 'ismultilang', '0'),
('16', 'dateformat', 'Y-m-d'),
('17', 'timeformat', 'H:i'),
('174', 'webhooksmaxfail', '5'),
('175', 'webhooksuselog', '1'),
('176', 'webhookslogspath', ''),
('177', 'webhooksgroup', 'day'),
('25', 'keepapplock', '15'),
('40', 'multitimezone', '0'),
('58', 'currencysymb', '€'),
('59', 'currencyname', 'EUR'),
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
ALTER TABLE `wp_vikappointments_config` AUTO_INCREMENT = 182;
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
('5', 'I read and accept the terms and conditions', '', NULL, 'checkbox', NULL, '0', '1', '5', '0', 'http://127.0.0.1:8099/?page_id=3', '*', '0', '0', '-1', '0');
ALTER TABLE `wp_vikappointments_custfields` AUTO_INCREMENT = 6;
ALTER TABLE `wp_vikappointments_emp_worktime` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_employee` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_employee_group` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_employee_location` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_gpayments` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_group` AUTO_INCREMENT = 1;
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
ALTER TABLE `wp_vikappointments_service` AUTO_INCREMENT = 1;
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
ALTER TABLE `wp_vikappointments_tax` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_tax_rule` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_user_notes` AUTO_INCREMENT = 1;
ALTER TABLE `wp_vikappointments_users` AUTO_INCREMENT = 1;
REPLACE INTO `wp_vikappointments_webhook` (`id`, `name`, `hook`, `url`, `secret`, `published`, `params`, `createdon`, `modifiedon`, `lastping`, `failed`, `logkey`) VALUES
('1', 'onAfterSaveReservation {"type":"insert","statuses":"","load":"basic"}', 'onAfterSaveReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"insert","statuses":"","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'ZJ29FX9P7P01'),
('10', 'onAfterSavePackorder {"type":"insert","load":"basic"}', 'onAfterSavePackorder', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"insert","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'YM54S5H549AW'),
('11', 'onAfterSavePackorder {"type":"insert","load":"full"}', 'onAfterSavePackorder', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"insert","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', '1M66D31PU4KX'),
('12', 'onAfterSavePackorder {"type":"insert","load":"extended"}', 'onAfterSavePackorder', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"insert","load":"extended"}', '2026-11-23 08:40:11', NULL, NULL, '0', '70254OL0YZT3'),
('13', 'onAfterSavePackorder {"type":"update","load":"basic"}', 'onAfterSavePackorder', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"update","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'W10101A131S9'),
('14', 'onAfterSavePackorder {"type":"update","load":"full"}', 'onAfterSavePackorder', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"update","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'E5U96C7BMWA8'),
('15', 'onAfterSavePackorder {"type":"update","load":"extended"}', 'onAfterSavePackorder', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"update","load":"extended"}', '2026-11-23 08:40:11', NULL, NULL, '0', '46D1TSQQI379'),
('16', 'onAfterSavePackorder {"type":"both","load":"basic"}', 'onAfterSavePackorder', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'A38L6K418G83'),
('17', 'onAfterSavePackorder {"type":"both","load":"full"}', 'onAfterSavePackorder', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', '27VQKJXRVF78'),
('18', 'onAfterSavePackorder {"type":"both","load":"extended"}', 'onAfterSavePackorder', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","load":"extended"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'KTCYOD718I5K'),
('19', 'onAfterSaveCustomer {"type":"insert","load":"basic"}', 'onAfterSaveCustomer', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"insert","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'VPSMQ5YC1938'),
('2', 'onAfterSaveReservation {"type":"insert","statuses":"","load":"full"}', 'onAfterSaveReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"insert","statuses":"","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'B92Z625Q716X'),
('20', 'onAfterSaveCustomer {"type":"insert","load":"full"}', 'onAfterSaveCustomer', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"insert","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'MG39L87FP853'),
('21', 'onAfterSaveCustomer {"type":"update","load":"basic"}', 'onAfterSaveCustomer', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"update","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', '27IMQ8Q42VV7'),
('22', 'onAfterSaveCustomer {"type":"update","load":"full"}', 'onAfterSaveCustomer', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"update","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'WLU5RBQG65K3'),
('23', 'onAfterSaveCustomer {"type":"both","load":"basic"}', 'onAfterSaveCustomer', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'EW5A301K3M01'),
('24', 'onAfterSaveCustomer {"type":"both","load":"full"}', 'onAfterSaveCustomer', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', '5E0GKBU95Y1P'),
('25', 'onAfterSaveEmployee {"type":"insert","load":"basic"}', 'onAfterSaveEmployee', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"insert","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', '5512NOMR9441'),
('26', 'onAfterSaveEmployee {"type":"insert","load":"full"}', 'onAfterSaveEmployee', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"insert","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', '8IL9193995LC'),
('27', 'onAfterSaveEmployee {"type":"update","load":"basic"}', 'onAfterSaveEmployee', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"update","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'O7XX0D492G89'),
('28', 'onAfterSaveEmployee {"type":"update","load":"full"}', 'onAfterSaveEmployee', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"update","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'I975C2O492EL'),
('29', 'onAfterSaveEmployee {"type":"both","load":"basic"}', 'onAfterSaveEmployee', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', '9OA27L7U6XXM'),
('3', 'onAfterSaveReservation {"type":"insert","statuses":"","load":"extended"}', 'onAfterSaveReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"insert","statuses":"","load":"extended"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'OQHPTH95013U'),
('30', 'onAfterSaveEmployee {"type":"both","load":"full"}', 'onAfterSaveEmployee', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', '82LKB12Z0J3E'),
('31', 'onAfterSaveService {"type":"insert","load":"basic"}', 'onAfterSaveService', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"insert","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'U4TLNX81AM85'),
('32', 'onAfterSaveService {"type":"insert","load":"full"}', 'onAfterSaveService', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"insert","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', '469HE74502HE'),
('33', 'onAfterSaveService {"type":"update","load":"basic"}', 'onAfterSaveService', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"update","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', '71J5C71S1O8B'),
('34', 'onAfterSaveService {"type":"update","load":"full"}', 'onAfterSaveService', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"update","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'EV9N90ACNYGM'),
('35', 'onAfterSaveService {"type":"both","load":"basic"}', 'onAfterSaveService', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'DW52AH507HH2'),
('36', 'onAfterSaveService {"type":"both","load":"full"}', 'onAfterSaveService', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', '4K9BPEFV1W6T'),
('37', 'onAfterSaveCoupon {"type":"insert","load":"basic"}', 'onAfterSaveCoupon', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"insert","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'R28R7PQO92YK'),
('38', 'onAfterSaveCoupon {"type":"insert","load":"full"}', 'onAfterSaveCoupon', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"insert","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'IC67318R03G1'),
('39', 'onAfterSaveCoupon {"type":"update","load":"basic"}', 'onAfterSaveCoupon', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"update","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', '8CXHC73T88R2'),
('4', 'onAfterSaveReservation {"type":"update","statuses":"","load":"basic"}', 'onAfterSaveReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"update","statuses":"","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', '05PG24715Y21'),
('40', 'onAfterSaveCoupon {"type":"update","load":"full"}', 'onAfterSaveCoupon', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"update","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', '4E1O7G92WHQC'),
('41', 'onAfterSaveCoupon {"type":"both","load":"basic"}', 'onAfterSaveCoupon', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'GBWHY7XMDX67'),
('42', 'onAfterSaveCoupon {"type":"both","load":"full"}', 'onAfterSaveCoupon', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'O6Q0NY8937M4'),
('43', 'onAfterSaveReservation {"type":"both","statuses":["C"],"load":"basic"}', 'onAfterSaveReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","statuses":["C"],"load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'WMXE1744F91X'),
('44', 'onAfterSaveReservation {"type":"both","statuses":["P","X"],"load":"extended"}', 'onAfterSaveReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","statuses":["P","X"],"load":"extended"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'V52A64346Z65'),
('45', 'onAfterSaveReservation {"type":"both","statuses":["C"],"load":"full"}', 'onAfterSaveReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","statuses":["C"],"load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'J08SNAX31B93'),
('46', 'onAfterSaveReservation null', 'onAfterSaveReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '[]', '2026-11-23 08:40:11', NULL, NULL, '0', '2V17Z2QP9161'),
('47', 'onStatusChangeReservation {"statuses":"","load":"basic"}', 'onStatusChangeReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"statuses":"","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'G8265SG8726R'),
('48', 'onStatusChangeReservation {"statuses":"","load":"full"}', 'onStatusChangeReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"statuses":"","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'Q0O97V8537E9'),
('49', 'onStatusChangeReservation {"statuses":"","load":"extended"}', 'onStatusChangeReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"statuses":"","load":"extended"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'N7F8ZE3R57J5'),
('5', 'onAfterSaveReservation {"type":"update","statuses":"","load":"full"}', 'onAfterSaveReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"update","statuses":"","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', '11479X39Z736'),
('50', 'onStatusChangeReservation {"statuses":["X","E"],"load":"basic"}', 'onStatusChangeReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"statuses":["X","E"],"load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'SYDUW3U99768'),
('51', 'onStatusChangeReservation {"statuses":["C","P"],"load":"full"}', 'onStatusChangeReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"statuses":["C","P"],"load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'XEZ775YVJ12T'),
('52', 'onStatusChangeReservation null', 'onStatusChangeReservation', 'http://127.0.0.1:35661/hook', '', '1', '[]', '2026-11-23 08:40:11', NULL, NULL, '0', '98939U3ELO21'),
('53', 'onStatusChangePackageorder {"statuses":"","load":"basic"}', 'onStatusChangePackageorder', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"statuses":"","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'J8958L3ZLK9K'),
('54', 'onStatusChangePackageorder {"statuses":"","load":"full"}', 'onStatusChangePackageorder', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"statuses":"","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'D38TM2OG0V9P'),
('55', 'onStatusChangePackageorder {"statuses":"","load":"extended"}', 'onStatusChangePackageorder', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"statuses":"","load":"extended"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'K85JC2GXXSVX'),
('56', 'onStatusChangePackageorder {"statuses":["X","E"],"load":"basic"}', 'onStatusChangePackageorder', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"statuses":["X","E"],"load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'M137YQPZ1683'),
('57', 'onStatusChangePackageorder {"statuses":["C","P"],"load":"full"}', 'onStatusChangePackageorder', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"statuses":["C","P"],"load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'T0UFCU79VBUH'),
('58', 'onStatusChangePackageorder null', 'onStatusChangePackageorder', 'http://127.0.0.1:35661/hook', '', '1', '[]', '2026-11-23 08:40:11', NULL, NULL, '0', '0WO5G2STM666'),
('59', 'onAfterDeleteReservation []', 'onAfterDeleteReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '[]', '2026-11-23 08:40:11', NULL, NULL, '0', '8993IP4ON8CU'),
('6', 'onAfterSaveReservation {"type":"update","statuses":"","load":"extended"}', 'onAfterSaveReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"update","statuses":"","load":"extended"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'YB27RVHOPV60'),
('60', 'onAfterDeletePackorder []', 'onAfterDeletePackorder', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '[]', '2026-11-23 08:40:11', NULL, NULL, '0', 'M524YVPRYPH7'),
('61', 'onAfterDeleteCustomer []', 'onAfterDeleteCustomer', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '[]', '2026-11-23 08:40:11', NULL, NULL, '0', 'DDD2184P8B6N'),
('62', 'onAfterDeleteEmployee []', 'onAfterDeleteEmployee', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '[]', '2026-11-23 08:40:11', NULL, NULL, '0', '17SL1CXGT708'),
('63', 'onAfterDeleteService []', 'onAfterDeleteService', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '[]', '2026-11-23 08:40:11', NULL, NULL, '0', 'WL9OE408B7PD'),
('64', 'onAfterDeleteCoupon []', 'onAfterDeleteCoupon', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '[]', '2026-11-23 08:40:11', NULL, NULL, '0', '0JUFYF3ZNXJ7'),
('7', 'onAfterSaveReservation {"type":"both","statuses":"","load":"basic"}', 'onAfterSaveReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","statuses":"","load":"basic"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'CI43U83U2O00'),
('8', 'onAfterSaveReservation {"type":"both","statuses":"","load":"full"}', 'onAfterSaveReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","statuses":"","load":"full"}', '2026-11-23 08:40:11', NULL, NULL, '0', 'K1KCCX4471W7'),
('9', 'onAfterSaveReservation {"type":"both","statuses":"","load":"extended"}', 'onAfterSaveReservation', 'http://127.0.0.1:35661/hook', 's3cr3t', '1', '{"type":"both","statuses":"","load":"extended"}', '2026-11-23 08:40:11', NULL, NULL, '0', '6SN46H3548ID');
ALTER TABLE `wp_vikappointments_webhook` AUTO_INCREMENT = 86;
