-- The tables as they stood before the first of these actions, where payloads depend on them.
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
TRUNCATE `wp_vikappointments_config`;
TRUNCATE `wp_vikappointments_countries`;
TRUNCATE `wp_vikappointments_custfields`;
TRUNCATE `wp_vikappointments_employee`;
TRUNCATE `wp_vikappointments_employee_group`;
TRUNCATE `wp_vikappointments_employee_location`;
TRUNCATE `wp_vikappointments_emp_worktime`;
TRUNCATE `wp_vikappointments_gpayments`;
TRUNCATE `wp_vikappointments_group`;
TRUNCATE `wp_vikappointments_invoice`;
TRUNCATE `wp_vikappointments_option`;
TRUNCATE `wp_vikappointments_option_value`;
TRUNCATE `wp_vikappointments_order_status`;
TRUNCATE `wp_vikappointments_package`;
TRUNCATE `wp_vikappointments_package_group`;
TRUNCATE `wp_vikappointments_package_order`;
TRUNCATE `wp_vikappointments_package_order_item`;
TRUNCATE `wp_vikappointments_res_opt_assoc`;
TRUNCATE `wp_vikappointments_reservation`;
TRUNCATE `wp_vikappointments_service`;
TRUNCATE `wp_vikappointments_status_code`;
TRUNCATE `wp_vikappointments_user_notes`;
TRUNCATE `wp_vikappointments_users`;
TRUNCATE `wp_vikappointments_coupon`;
TRUNCATE `wp_vikappointments_lang_service`;
TRUNCATE `wp_vikappointments_lang_group`;
TRUNCATE `wp_vikappointments_lang_employee`;
TRUNCATE `wp_vikappointments_lang_empgroup`;
TRUNCATE `wp_vikappointments_lang_status_code`;
TRUNCATE `wp_users`;
TRUNCATE `wp_options`;
INSERT INTO `wp_vikappointments_config` VALUES
(10,'ismultilang','0'),
(16,'dateformat','Y-m-d'),
(17,'timeformat','H:i'),
(25,'keepapplock','15'),
(84,'usercredit','0'),
(180,'multilanguage','0');
INSERT INTO `wp_vikappointments_countries` VALUES
(112,'Jersey','JE','JEY','+44 1534',1);
INSERT INTO `wp_vikappointments_custfields` VALUES
(1,'CUSTOMF_NAME','',NULL,'text','',0,1,1,'nominative',NULL,'*',0,0,-1,0),
(2,'CUSTOMF_LNAME','',NULL,'text','',0,1,2,'nominative',NULL,'*',0,0,-1,0),
(3,'CUSTOMF_EMAIL','',NULL,'text','',0,1,3,'email',NULL,'*',0,0,-1,0),
(4,'CUSTOMF_PHONE','',NULL,'text','US',0,0,4,'phone',NULL,'*',0,0,-1,0),
(5,'I read and accept the terms and conditions','',NULL,'checkbox',NULL,0,1,5,'0','http://127.0.0.1:8099/?page_id=3','*',0,0,-1,0);
INSERT INTO `wp_vikappointments_employee` VALUES
(1,'Anna','Rossi','Anna R.','anna-r','anna@example.test',0,0,0,1,'+39 055 1234','','note','J3A007AS54Z5',-1,-1,-1,NULL,NULL,'Europe/London','',NULL),
(2,'Bob','Smith','Bob','bob','bob@example.test',0,0,0,1,'','',NULL,'67TB69HG116N',-1,-1,-1,NULL,NULL,'','',NULL),
(3,'Carl','Deletable','Carl','carl','',0,0,0,0,'','',NULL,'N290FPR2A7C4',-1,-1,-1,NULL,NULL,'','',NULL);
INSERT INTO `wp_vikappointments_emp_worktime` VALUES
(1,1,-1,0,480,1200,-1,'0000-00-00',0,-1,-1),
(2,1,1,0,480,1200,-1,'0000-00-00',0,-1,1),
(3,1,2,0,480,1200,-1,'0000-00-00',0,-1,1),
(4,1,-1,1,480,1200,-1,'0000-00-00',0,-1,-1),
(5,1,1,1,480,1200,-1,'0000-00-00',0,-1,4),
(6,1,2,1,480,1200,-1,'0000-00-00',0,-1,4),
(7,1,-1,2,480,1200,-1,'0000-00-00',0,-1,-1),
(8,1,1,2,480,1200,-1,'0000-00-00',0,-1,7),
(9,1,2,2,480,1200,-1,'0000-00-00',0,-1,7),
(10,1,-1,3,480,1200,-1,'0000-00-00',0,-1,-1),
(11,1,1,3,480,1200,-1,'0000-00-00',0,-1,10),
(12,1,2,3,480,1200,-1,'0000-00-00',0,-1,10),
(13,1,-1,4,480,1200,-1,'0000-00-00',0,-1,-1),
(14,1,1,4,480,1200,-1,'0000-00-00',0,-1,13),
(15,1,2,4,480,1200,-1,'0000-00-00',0,-1,13),
(16,1,-1,5,480,1200,-1,'0000-00-00',0,-1,-1),
(17,1,1,5,480,1200,-1,'0000-00-00',0,-1,16),
(18,1,2,5,480,1200,-1,'0000-00-00',0,-1,16),
(19,1,-1,6,480,1200,-1,'0000-00-00',0,-1,-1),
(20,1,1,6,480,1200,-1,'0000-00-00',0,-1,19),
(21,1,2,6,480,1200,-1,'0000-00-00',0,-1,19),
(22,2,-1,0,480,1200,-1,'0000-00-00',0,-1,-1),
(23,2,1,0,480,1200,-1,'0000-00-00',0,-1,22),
(24,2,2,0,480,1200,-1,'0000-00-00',0,-1,22),
(25,2,-1,1,480,1200,-1,'0000-00-00',0,-1,-1),
(26,2,1,1,480,1200,-1,'0000-00-00',0,-1,25),
(27,2,2,1,480,1200,-1,'0000-00-00',0,-1,25),
(28,2,-1,2,480,1200,-1,'0000-00-00',0,-1,-1),
(29,2,1,2,480,1200,-1,'0000-00-00',0,-1,28),
(30,2,2,2,480,1200,-1,'0000-00-00',0,-1,28),
(31,2,-1,3,480,1200,-1,'0000-00-00',0,-1,-1),
(32,2,1,3,480,1200,-1,'0000-00-00',0,-1,31),
(33,2,2,3,480,1200,-1,'0000-00-00',0,-1,31),
(34,2,-1,4,480,1200,-1,'0000-00-00',0,-1,-1),
(35,2,1,4,480,1200,-1,'0000-00-00',0,-1,34),
(36,2,2,4,480,1200,-1,'0000-00-00',0,-1,34),
(37,2,-1,5,480,1200,-1,'0000-00-00',0,-1,-1),
(38,2,1,5,480,1200,-1,'0000-00-00',0,-1,37),
(39,2,2,5,480,1200,-1,'0000-00-00',0,-1,37),
(40,2,-1,6,480,1200,-1,'0000-00-00',0,-1,-1),
(41,2,1,6,480,1200,-1,'0000-00-00',0,-1,40),
(42,2,2,6,480,1200,-1,'0000-00-00',0,-1,40);
INSERT INTO `wp_vikappointments_option` VALUES
(1,'Shampoo','',5.00,0,0,1,0,1,0,0,0,'',1,1,0,1),
(2,'Color','',12.30,0,0,1,1,3,0,0,0,'',1,1,0,2);
INSERT INTO `wp_vikappointments_option_value` VALUES
(1,2,'Red',2.50,0,1),
(2,2,'Blue',0.00,0,2);
INSERT INTO `wp_vikappointments_order_status` VALUES
(1,1,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:42:29','reservation'),
(2,2,'W','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:42:30','reservation'),
(3,3,'P','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:42:31','reservation'),
(4,4,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:42:31','reservation'),
(5,5,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:42:32','reservation'),
(7,2,'C','by phone',1,'127.0.0.1',1,'2026-11-23 08:42:35','reservation'),
(8,2,'X','VAP_STATUS_ORDER_CANCELLED',1,'127.0.0.1',1,'2026-11-23 08:42:36','reservation'),
(9,1,'P','',1,'127.0.0.1',1,'2026-11-23 08:42:37','reservation'),
(10,3,'X','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:42:39','reservation'),
(11,4,'P','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:42:39','reservation'),
(12,7,'W','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:42:40','reservation'),
(13,7,'X','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:42:40','reservation'),
(14,7,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:42:40','reservation'),
(15,7,'P','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:42:40','reservation'),
(16,7,'W','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:42:41','reservation'),
(17,7,'P','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:42:41','reservation'),
(18,9,'X','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:42:44','reservation'),
(19,10,'W','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:31','reservation'),
(20,11,'W','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:31','reservation'),
(21,12,'W','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:31','reservation'),
(22,10,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:32','reservation'),
(23,11,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:32','reservation'),
(24,12,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:32','reservation'),
(25,12,'X','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:33','reservation'),
(26,13,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:34','reservation'),
(27,14,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:35','reservation'),
(28,15,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:35','reservation'),
(29,1,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:37','package_order'),
(31,3,'P','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:38','package_order'),
(34,16,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:41','reservation'),
(35,16,'X','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:42','reservation');
INSERT INTO `wp_vikappointments_package` VALUES
(1,'Five cuts','x',100.00,5,1,NULL,NULL,0,1,1,0,1);
INSERT INTO `wp_vikappointments_package_group` VALUES
(1,'Packs',NULL,1);
INSERT INTO `wp_vikappointments_package_order_item` VALUES
(1,1,1,50.00,100.00,0.00,100.00,0.00,NULL,2,10,1,NULL,'2026-11-23 08:43:42'),
(3,3,1,50.00,100.00,0.00,100.00,0.00,NULL,2,10,0,NULL,NULL);
INSERT INTO `wp_vikappointments_res_opt_assoc` VALUES
(2,3,2,1,59.20,29.60,0.00,29.60,0.00,NULL,2),
(3,3,1,-1,20.00,10.00,0.00,10.00,0.00,NULL,2),
(4,9,2,1,236.80,29.60,0.00,29.60,0.00,NULL,2),
(5,9,1,-1,80.00,10.00,0.00,10.00,0.00,NULL,2);
INSERT INTO `wp_vikappointments_reservation` VALUES
(1,0,1,1,'2027-01-12 10:00:00','+00:00',1,30,5,25.50,0.00,25.50,0.00,25.50,25.50,0.00,25.50,0.00,0.00,0.00,0.00,NULL,0,'Mario Bianchi','mario@example.test','+39000','','IT','en-US','{\"CUSTOMF_NAME\":\"Mario\",\"CUSTOMF_LNAME\":\"Bianchi\"}',NULL,'','P',1795424255,'UUICM5034R573P2E','ZSM9F7FD4Z93',1,NULL,'',1,'2026-11-23 08:42:29',1,'2026-11-23 00:00:00',1,NULL,0,NULL,NULL,'x',0,NULL,1,''),
(2,0,1,1,'2027-01-12 11:00:00','+00:00',1,30,5,25.50,0.00,25.50,0.00,25.50,25.50,0.00,25.50,0.00,0.00,0.00,0.00,NULL,0,'Mario Bianchi','mario@example.test','+393331112222','','IT','en-US','{\"CUSTOMF_NAME\":\"Mario\",\"CUSTOMF_LNAME\":\"Bianchi\"}',NULL,'','X',1795424256,'51U4M538ZW31VVZE','97W3W024Y7AV',1,'Please call','',2,'2026-11-23 08:42:30',1,'2026-11-23 08:42:36',1,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(3,1,1,1,'2027-01-12 12:00:00','+00:00',1,30,5,25.50,0.00,25.50,0.00,25.50,25.50,0.00,25.50,0.00,1.50,0.00,0.00,NULL,0,'Mario Bianchi','mario@example.test','+393331112222','','IT','en-US','{\"CUSTOMF_NAME\":\"Mario\",\"CUSTOMF_LNAME\":\"Bianchi\"}',NULL,'','X',1795424262,'K7KAJRXBF7H29QE2','IC8M2O4HY397',1,NULL,'',3,'2026-11-23 08:42:31',1,'2026-11-23 08:42:42',1,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(4,0,2,2,'2027-01-12 13:00:00','+01:00',3,30,0,25.50,0.00,25.50,0.00,25.50,25.50,0.00,25.50,0.00,0.00,0.00,0.00,NULL,0,'Mario Bianchi','new@example.test','111','','IT','en-US','{\"CUSTOMF_NAME\":\"Mario\",\"CUSTOMF_LNAME\":\"Bianchi\"}','[{\"fields\":{\"CUSTOMF_NAME\":\"Ann\"}},{\"fields\":{\"CUSTOMF_NAME\":\"\"}}]','','P',1795424259,'J5R4O3F582T9YO24','17D86SK7D8AC',0,'private note','{\"a\":\"b.pdf\"}',4,'2026-11-23 08:42:31',1,'2026-11-23 08:42:39',1,'America/New_York',0,NULL,NULL,NULL,0,NULL,1,''),
(5,0,1,1,'2027-01-12 14:00:00','+00:00',1,30,5,25.50,0.00,25.50,0.00,25.50,25.50,0.00,25.50,0.00,0.00,0.00,0.00,NULL,0,'Mario Bianchi','mario@example.test','222','','IT','en-US','{\"CUSTOMF_NAME\":\"Mario\",\"CUSTOMF_LNAME\":\"Bianchi\"}',NULL,'','C',1795424263,'OU258TG1YS0UZ28S','SX9612N777J3',1,NULL,'',5,'2026-11-23 08:42:32',1,'2026-11-23 08:42:43',1,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(9,1,1,1,'2027-01-20 09:00:00','+00:00',1,30,5,25.50,0.00,25.50,0.00,25.50,25.50,0.00,25.50,0.00,1.50,0.00,0.00,NULL,0,'Mario Bianchi','mario@example.test','+393331112222','','IT','en-US','{\"CUSTOMF_NAME\":\"Mario\",\"CUSTOMF_LNAME\":\"Bianchi\"}',NULL,'','X',1795424264,'9N8GF38S83321NI4','0M6M15U34PCB',1,NULL,'',9,'2026-11-23 08:42:44',1,'2026-11-23 08:42:42',1,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(10,0,0,0,'0000-00-00 00:00:00',NULL,1,0,0,45.90,0.00,45.90,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,5.10,NULL,0,'Mario Bianchi','mario@example.test','123','','','en-US',NULL,NULL,'SAVE10;;1;;10','C',1795424314,'O2R9N38J04Q9B430','56P3W85637D7',0,NULL,'',-1,'2026-11-23 08:43:31',1,'2026-11-23 08:43:34',1,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(11,0,1,1,'2027-02-01 10:00:00','+00:00',1,30,5,22.95,0.00,22.95,0.00,25.50,22.95,0.00,22.95,2.55,0.00,0.00,2.55,NULL,0,'Mario Bianchi','mario@example.test','+393331112222','','','en-US','{\"CUSTOMF_NAME\":\"Mario\"}',NULL,'','C',1795424314,'O2R9N38J04Q9B430','',1,NULL,'',10,'2026-11-23 08:43:31',1,'2026-11-23 08:43:34',1,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(12,0,1,1,'2027-02-01 11:00:00','+00:00',1,30,5,22.95,0.00,22.95,0.00,25.50,22.95,0.00,22.95,2.55,0.00,0.00,2.55,NULL,0,'Mario Bianchi','mario@example.test','+393331112222','','','en-US','{\"CUSTOMF_NAME\":\"Mario\"}',NULL,'','X',1795424314,'O2R9N38J04Q9B430','',1,NULL,'',10,'2026-11-23 08:43:31',1,'2026-11-23 08:43:34',1,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(16,0,1,1,'2027-03-01 10:00:00','+00:00',1,30,5,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,NULL,0,'Mario Bianchi','mario@example.test','+393331112222','','','en-US','{\"CUSTOMF_NAME\":\"Mario\"}',NULL,'','X',1795424322,'BDOO1IF15V41TNL8','OZOYR9NN7176',1,NULL,'',16,'2026-11-23 08:43:41',1,'2026-11-23 08:43:42',1,NULL,0,NULL,NULL,NULL,0,NULL,1,'');
INSERT INTO `wp_vikappointments_service` VALUES
(1,'Haircut \"Élan\" / 30\'','haircut','<p>Cut & style</p>',30,5,1,-1,-1,-1,25.50,0,1,1,1,0,1,1,0,1,0,0,0,'',NULL,NULL,0,0,0,-1,1,'428BCA',0,1,NULL,NULL),
(2,'Group Yoga','yoga','',60,0,1,-1,-1,-1,10.00,0,8,1,6,1,1,1,0,0,0,0,0,'',NULL,NULL,0,0,0,-1,1,'5CB85C',0,2,NULL,NULL),
(3,'Massage','massage',NULL,45,0,1,-1,-1,-1,40.00,0,1,1,1,1,1,0,0,1,0,0,0,'',NULL,NULL,0,0,0,-1,1,'AD4363',0,3,NULL,NULL);
INSERT INTO `wp_vikappointments_status_code` VALUES
(1,'Confirmed',NULL,'C','008000',1,1,1,1,1,1,0,0,0),
(2,'Paid',NULL,'P','339CCC',2,1,1,1,1,1,0,0,1),
(3,'Pending',NULL,'W','FF7000',3,1,1,1,0,1,0,0,0),
(4,'Removed',NULL,'E','990000',4,1,0,0,0,0,1,0,0),
(5,'Cancelled',NULL,'X','F01B17',5,1,1,1,0,0,0,1,0),
(6,'Refunded',NULL,'R','8116C9',6,1,1,1,0,0,0,1,1),
(7,'No-Show',NULL,'N','828282',7,1,0,0,1,1,0,0,0);
INSERT INTO `wp_vikappointments_user_notes` VALUES
(1,0,2,'appointments','2026-11-23 09:42:30','Please call',NULL,0,NULL,'2026-11-23 08:42:30',NULL,1,NULL),
(2,0,4,'appointments','2026-11-23 09:42:31','private note',NULL,0,NULL,'2026-11-23 08:42:31',NULL,1,NULL),
(3,0,1,'appointments','t','hello',NULL,1,NULL,'2026-11-23 08:42:42',NULL,1,NULL);
INSERT INTO `wp_vikappointments_users` VALUES
(1,0,'IT','{\"CUSTOMF_NAME\":\"Mario\"}','Mario Bianchi','mario@example.test','+393331112222','','Firenze','Via Roma 1','','50100','','','','','',0.00,0,NULL,NULL),
(2,0,'',NULL,'Jane Doe','jane@example.test','','','','','','','','','','','',0.00,0,NULL,NULL);
INSERT INTO `wp_vikappointments_coupon` VALUES
(1,'SAVE10',1,1,10.00,0.00,1,NULL,NULL,0,0,2,0,NULL,0,'',0),
(2,'GIFT5',2,2,5.00,0.00,1,NULL,NULL,0,1,0,0,NULL,1,'',0);
INSERT INTO `wp_users` VALUES
(1,'admin','','admin','admin@example.test','http://127.0.0.1:8099','2026-11-23 08:35:00','',0,'admin');
INSERT INTO `wp_options` VALUES
(1,'siteurl','http://127.0.0.1:8099','yes'),
(23,'date_format','F j, Y','yes'),
(24,'time_format','g:i a','yes'),
(37,'gmt_offset','0','yes'),
(80,'timezone_string','Europe/Rome','yes');
ALTER TABLE `wp_vikappointments_status_code` AUTO_INCREMENT = 8;
ALTER TABLE `wp_vikappointments_service` AUTO_INCREMENT = 4;
ALTER TABLE `wp_options` AUTO_INCREMENT = 133;
ALTER TABLE `wp_vikappointments_users` AUTO_INCREMENT = 3;
ALTER TABLE `wp_vikappointments_user_notes` AUTO_INCREMENT = 4;
ALTER TABLE `wp_vikappointments_option_value` AUTO_INCREMENT = 3;
ALTER TABLE `wp_vikappointments_employee` AUTO_INCREMENT = 4;
ALTER TABLE `wp_vikappointments_res_opt_assoc` AUTO_INCREMENT = 6;
ALTER TABLE `wp_vikappointments_package` AUTO_INCREMENT = 2;
ALTER TABLE `wp_vikappointments_config` AUTO_INCREMENT = 182;
ALTER TABLE `wp_vikappointments_countries` AUTO_INCREMENT = 248;
ALTER TABLE `wp_vikappointments_custfields` AUTO_INCREMENT = 6;
ALTER TABLE `wp_vikappointments_package_order` AUTO_INCREMENT = 4;
ALTER TABLE `wp_vikappointments_option` AUTO_INCREMENT = 3;
ALTER TABLE `wp_vikappointments_reservation` AUTO_INCREMENT = 17;
ALTER TABLE `wp_vikappointments_package_order_item` AUTO_INCREMENT = 4;
ALTER TABLE `wp_vikappointments_emp_worktime` AUTO_INCREMENT = 43;
ALTER TABLE `wp_vikappointments_order_status` AUTO_INCREMENT = 36;
ALTER TABLE `wp_users` AUTO_INCREMENT = 2;
ALTER TABLE `wp_vikappointments_coupon` AUTO_INCREMENT = 3;
ALTER TABLE `wp_vikappointments_package_group` AUTO_INCREMENT = 2;
