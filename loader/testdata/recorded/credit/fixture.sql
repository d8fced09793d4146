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
(2,'Bob','Smith','Bob','bob','bob@example.test',0,0,0,1,'','',NULL,'67TB69HG116N',-1,-1,-1,NULL,NULL,'','',NULL),
(5,'Tia','Tokyo','Tia','tia','tia@example.test',0,0,0,1,'','',NULL,'9EOCU02FZ9X4',-1,1,-1,NULL,NULL,'Asia/Tokyo','',NULL);
INSERT INTO `wp_vikappointments_employee_group` VALUES
(1,'Seniors',NULL,1);
INSERT INTO `wp_vikappointments_employee_location` VALUES
(1,'HQ',-1,112,-1,-1,'Via Roma 1','50100',11.25000000,43.77000000);
INSERT INTO `wp_vikappointments_emp_worktime` VALUES
(22,2,-1,0,480,1200,-1,'0000-00-00',0,-1,-1),
(25,2,-1,1,480,1200,-1,'0000-00-00',0,-1,-1),
(28,2,-1,2,480,1200,-1,'0000-00-00',0,-1,-1),
(31,2,-1,3,480,1200,-1,'0000-00-00',0,-1,-1),
(34,2,-1,4,480,1200,-1,'0000-00-00',0,-1,-1),
(37,2,-1,5,480,1200,-1,'0000-00-00',0,-1,-1),
(40,2,-1,6,480,1200,-1,'0000-00-00',0,-1,-1),
(43,4,-1,0,480,1200,-1,'0000-00-00',0,-1,-1),
(46,4,-1,1,480,1200,-1,'0000-00-00',0,-1,-1),
(49,4,-1,2,480,1200,-1,'0000-00-00',0,-1,-1),
(52,4,-1,3,480,1200,-1,'0000-00-00',0,-1,-1),
(55,4,-1,4,480,1200,-1,'0000-00-00',0,-1,-1),
(58,4,-1,5,480,1200,-1,'0000-00-00',0,-1,-1),
(61,4,-1,6,480,1200,-1,'0000-00-00',0,-1,-1),
(64,5,-1,0,480,1200,-1,'0000-00-00',0,1,-1),
(65,5,7,0,480,1200,-1,'0000-00-00',0,1,64),
(66,5,-1,1,480,1200,-1,'0000-00-00',0,1,-1),
(67,5,7,1,480,1200,-1,'0000-00-00',0,1,66),
(68,5,-1,2,480,1200,-1,'0000-00-00',0,1,-1),
(69,5,7,2,480,1200,-1,'0000-00-00',0,1,68),
(70,5,-1,3,480,1200,-1,'0000-00-00',0,1,-1),
(71,5,7,3,480,1200,-1,'0000-00-00',0,1,70),
(72,5,-1,4,480,1200,-1,'0000-00-00',0,1,-1),
(73,5,7,4,480,1200,-1,'0000-00-00',0,1,72),
(74,5,-1,5,480,1200,-1,'0000-00-00',0,1,-1),
(75,5,7,5,480,1200,-1,'0000-00-00',0,1,74),
(76,5,-1,6,480,1200,-1,'0000-00-00',0,1,-1),
(77,5,7,6,480,1200,-1,'0000-00-00',0,1,76);
INSERT INTO `wp_vikappointments_gpayments` VALUES
(1,'Bank Transfer','bank_transfer.php',1,1,0,'<p>before</p>','<p>after</p>',1.5000,0,0,0,0,1,'fas fa-money','',1,0,0,NULL,1),
(2,'Card','paypal.php',1,1,0,NULL,NULL,0.0000,0,0,0,0,2,'images/card.png','',1,0,0,NULL,1);
INSERT INTO `wp_vikappointments_group` VALUES
(1,'Hair',NULL,1);
INSERT INTO `wp_vikappointments_invoice` VALUES
(1,16,'1/2026','2026-11-23 08:52:28','16-BDOO1IF15V41TNL8.pdf','2026-11-23 08:52:28','appointments');
INSERT INTO `wp_vikappointments_option` VALUES
(1,'Shampoo','',99.00,0,0,1,0,1,0,0,0,'',1,1,0,1),
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
(26,13,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:34','reservation'),
(27,14,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:35','reservation'),
(28,15,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:35','reservation'),
(29,1,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:37','package_order'),
(31,3,'P','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:38','package_order'),
(34,16,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:41','reservation'),
(35,16,'X','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:43:42','reservation'),
(36,17,'W','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:44:51','reservation'),
(37,17,'E','VAP_STATUS_ORDER_REMOVED',1,'127.0.0.1',1,'2026-11-23 08:44:52','reservation'),
(38,18,'C','VAP_STATUS_CONFIRMED_AS_NO_COST',0,'127.0.0.1',0,'2026-11-23 08:47:53','reservation'),
(42,18,'X','VAP_STATUS_ORDER_CANCELLED',0,'127.0.0.1',0,'2026-11-23 08:48:45','reservation'),
(46,1,'C','VAP_STATUS_CHANGED_FROM_LIST',1,'127.0.0.1',1,'2026-11-23 08:48:49','reservation'),
(47,22,'W','VAP_STATUS_CHANGED_ON_MANAGE',0,'127.0.0.1',0,'2026-11-23 08:50:32','reservation'),
(48,23,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:50:33','reservation'),
(49,24,'W','VAP_STATUS_CHANGED_ON_MANAGE',0,'127.0.0.1',1,'2026-11-23 08:50:34','reservation'),
(51,25,'W','VAP_STATUS_PACKAGE_REDEEMED',0,'127.0.0.1',1,'2026-11-23 08:50:36','reservation'),
(53,1,'E','VAP_STATUS_ORDER_REMOVED',0,'127.0.0.1',0,'2026-11-23 08:50:37','reservation'),
(64,37,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:51:41','reservation'),
(65,16,'C','another comment',1,'127.0.0.1',1,'2026-11-23 08:56:28','reservation'),
(66,16,'P','only history',1,'127.0.0.1',1,'2026-11-23 08:56:31','reservation'),
(67,38,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:59:15','reservation'),
(68,39,'W','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:59:17','reservation'),
(69,40,'X','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:59:18','reservation'),
(70,41,'C','VAP_STATUS_CHANGED_ON_MANAGE',1,'127.0.0.1',1,'2026-11-23 08:59:20','reservation'),
(71,42,'C','VAP_STATUS_CHANGED_ON_MANAGE',0,'127.0.0.1',0,'2026-11-23 08:59:21','reservation');
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
(1,0,1,1,'2027-01-13 08:00:00','+00:00',1,30,5,25.50,0.00,25.50,0.00,25.50,25.50,0.00,25.50,0.00,0.00,0.00,0.00,'',0,'Mario Bianchi','mario@example.test','+39055999','','IT','en-US','{\"CUSTOMF_NAME\":\"\",\"CUSTOMF_LNAME\":\"\",\"CUSTOMF_EMAIL\":\"\",\"CUSTOMF_PHONE\":\"\"}','[]','','E',1795424743,'UUICM5034R573P2E','ZSM9F7FD4Z93',1,'','[]',1,'2026-11-23 08:42:29',1,'2026-11-23 08:50:43',0,NULL,0,NULL,NULL,'x',0,NULL,1,''),
(2,0,1,1,'2027-01-12 11:00:00','+00:00',1,30,5,25.50,0.00,25.50,0.00,25.50,25.50,0.00,25.50,0.00,0.00,0.00,0.00,NULL,0,'Mario Bianchi','mario@example.test','8','','IT','en-US','{\"CUSTOMF_NAME\":\"Mario\",\"CUSTOMF_LNAME\":\"Bianchi\"}',NULL,'','P',1795424748,'51U4M538ZW31VVZE','97W3W024Y7AV',1,'Please call','',2,'2026-11-23 08:42:30',1,'2026-11-23 08:50:48',0,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(3,1,1,1,'2027-01-12 12:00:00','+00:00',1,30,5,25.50,0.00,25.50,0.00,25.50,25.50,0.00,25.50,0.00,1.50,0.00,0.00,NULL,0,'Mario Bianchi','mario@example.test','+393331112222','','IT','en-US','{\"CUSTOMF_NAME\":\"Mario\",\"CUSTOMF_LNAME\":\"Bianchi\"}',NULL,'','X',1795424743,'K7KAJRXBF7H29QE2','IC8M2O4HY397',1,NULL,'',3,'2026-11-23 08:42:31',1,'2026-11-23 08:50:43',0,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(4,0,2,2,'2027-01-12 13:30:00','+01:00',3,45,0,70.10,0.00,25.50,0.00,25.50,25.50,0.00,25.50,0.00,0.00,0.00,0.00,NULL,0,'Mario Bianchi','new@example.test','555','','IT','en-US','{\"CUSTOMF_NAME\":\"Mario\",\"CUSTOMF_LNAME\":\"Bianchi\"}','[{\"fields\":{\"CUSTOMF_NAME\":\"Ann\"}},{\"fields\":{\"CUSTOMF_NAME\":\"\"}}]','','P',1795424743,'J5R4O3F582T9YO24','17D86SK7D8AC',0,'private note','{\"a\":\"b.pdf\"}',4,'2026-11-23 08:42:31',1,'2026-11-23 08:50:43',0,'America/New_York',0,NULL,NULL,NULL,0,NULL,1,''),
(5,0,1,1,'2027-01-12 14:00:00','+00:00',1,30,5,25.50,0.00,25.50,0.00,25.50,25.50,0.00,25.50,0.00,0.00,0.00,0.00,NULL,0,'Mario Bianchi','mario@example.test','222','','IT','en-US','{\"CUSTOMF_NAME\":\"Mario\",\"CUSTOMF_LNAME\":\"Bianchi\"}',NULL,'','C',1795424743,'OU258TG1YS0UZ28S','SX9612N777J3',1,NULL,'',5,'2026-11-23 08:42:32',1,'2026-11-23 08:50:43',0,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(9,1,1,1,'2027-01-20 09:00:00','+00:00',1,30,5,25.50,0.00,25.50,0.00,25.50,25.50,0.00,25.50,0.00,1.50,0.00,0.00,NULL,0,'Mario Bianchi','mario@example.test','+393331112222','','IT','en-US','{\"CUSTOMF_NAME\":\"Mario\",\"CUSTOMF_LNAME\":\"Bianchi\"}',NULL,'','X',1795424743,'9N8GF38S83321NI4','0M6M15U34PCB',1,NULL,'',9,'2026-11-23 08:42:44',1,'2026-11-23 08:50:43',0,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(16,0,1,1,'2027-03-01 10:00:00','+00:00',1,30,5,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,NULL,0,'Mario Bianchi','mario@example.test','5551','','','en-US','{\"CUSTOMF_NAME\":\"Mario\"}',NULL,'','C',1795425086,'BDOO1IF15V41TNL8','OZOYR9NN7176',1,NULL,'',16,'2026-11-23 08:43:41',1,'2026-11-23 08:56:26',0,NULL,0,NULL,NULL,NULL,0,NULL,1,'order.confirmed'),
(17,0,1,1,'2027-05-01 10:00:00','+01:00',1,30,5,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,NULL,0,'P','p@example.test','','','','en-US',NULL,NULL,'','E',1795424743,'7YW29UML7C84HFQN','7KYAEQM4ZE06',1,NULL,'',17,'2026-11-23 08:44:51',1,'2026-11-23 08:50:43',0,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(18,0,1,1,'2027-06-07 07:00:00','+01:00',1,30,5,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,'[]',0,'Gina Verdi','gina@example.test','055123','','','en-US','{\"CUSTOMF_NAME\":\"Gina\",\"CUSTOMF_LNAME\":\"Verdi\",\"CUSTOMF_EMAIL\":\"gina@example.test\",\"CUSTOMF_PHONE\":\"055123\",\"I read and accept the terms and conditions\":\"1\"}','[]','','X',1795424625,'9KCG2CCEPI98K99F','6115LXY4O02W',1,NULL,'[]',18,'2026-11-23 08:47:53',0,'2026-11-23 08:48:45',3,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(22,1,2,1,'2027-06-22 06:35:00','+02:00',1,30,5,28.72,0.00,22.31,4.91,27.50,22.31,4.91,27.22,0.28,1.50,0.00,0.28,'[{\"tax\":4.91,\"name\":\"IVA 22\"}]',0,'Lia Neri','lia@example.test','066','','','en-US','{\"CUSTOMF_NAME\":\"Lia\",\"CUSTOMF_LNAME\":\"Neri\",\"CUSTOMF_EMAIL\":\"lia@example.test\",\"CUSTOMF_PHONE\":\"066\",\"I read and accept the terms and conditions\":\"1\"}','[]','A1;;1;;1','W',1795424732,'JJBXA067434QPI7C','W4I09JN63LVF',1,NULL,'[]',22,'2026-11-23 08:50:32',0,NULL,4,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(23,0,1,1,'2027-07-05 07:00:00','+01:00',1,30,5,27.50,0.00,22.54,4.96,27.50,22.54,4.96,27.50,0.00,0.00,0.00,0.00,'[{\"tax\":4.96,\"name\":\"IVA 22\"}]',0,'Mario','mario@example.test','','','','','{\"CUSTOMF_NAME\":\"\",\"CUSTOMF_LNAME\":\"\",\"CUSTOMF_EMAIL\":\"\",\"CUSTOMF_PHONE\":\"\"}','[]','','C',1795424743,'46J9VL5S4MGV577J','8HY440L0N533',1,'new note','[]',23,'2026-11-23 08:50:33',1,'2026-11-23 08:50:43',0,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(24,1,1,1,'2027-06-14 07:00:00','+01:00',1,30,5,29.00,0.00,22.54,4.96,27.50,22.54,4.96,27.50,0.00,1.50,0.00,0.00,'[{\"tax\":4.96,\"name\":\"IVA 22\"}]',0,'Ad Min','admin@example.test','','','','en-US','{\"CUSTOMF_NAME\":\"Ad\",\"CUSTOMF_LNAME\":\"Min\",\"CUSTOMF_EMAIL\":\"admin@example.test\",\"CUSTOMF_PHONE\":\"\",\"I read and accept the terms and conditions\":\"1\"}','[]','','W',1795424734,'9CID12D3EW038786','TXC4JD6YWQ06',1,NULL,'[]',24,'2026-11-23 08:50:34',1,NULL,5,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(25,1,1,1,'2027-06-14 08:10:00','+01:00',1,30,5,29.00,0.00,22.54,4.96,27.50,22.54,4.96,27.50,0.00,1.50,0.00,0.00,'[{\"tax\":4.96,\"name\":\"IVA 22\"}]',0,'Ad Min','admin@example.test','','','','en-US','{\"CUSTOMF_NAME\":\"Ad\",\"CUSTOMF_LNAME\":\"Min\",\"CUSTOMF_EMAIL\":\"admin@example.test\",\"CUSTOMF_PHONE\":\"\",\"I read and accept the terms and conditions\":\"1\"}','[]','','W',1795424736,'464C7XIGC5QJ9ASH','S0ISM1J85RJ4',1,NULL,'[]',25,'2026-11-23 08:50:36',1,NULL,5,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(36,0,2,0,'2027-09-01 10:00:00',NULL,1,60,0,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,NULL,0,'','','','','','',NULL,NULL,'','C',1795424800,'6P7X36220LX0PE6Q','19T2YEQX4OPK',0,NULL,'',-1,'2026-11-23 08:51:40',1,NULL,-1,NULL,0,NULL,NULL,NULL,1,NULL,1,''),
(37,0,2,1,'2027-08-12 10:00:00','+02:00',1,30,5,25.50,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,0.00,NULL,0,'M','uni@example.test','','','','en-US',NULL,NULL,'','C',1795424801,'ZS0B69VM45J3YYHS','2B6BZ3I9JKQ9',1,NULL,'',0,'2026-11-23 08:51:41',1,NULL,6,NULL,0,NULL,NULL,NULL,0,NULL,1,''),
(38,2,5,7,'2027-03-28 23:30:00','+09:00',2,50,10,81.33,10.00,66.66,14.67,33.33,66.66,14.67,81.33,0.00,0.00,0.00,0.00,'[{\"name\":\"IVA 22\",\"tax\":14.67}]',0,'Ünï Tést','gina@example.test','+39 1','','','it-IT','{\"CUSTOMF_NAME\":\"\\u00dcn\\u00ef\",\"CUSTOMF_EMAIL\":\"gina@example.test\",\"I read and accept the terms and conditions\":\"1\",\"Gone field\":\"v\"}','[{\"fields\":{\"CUSTOMF_NAME\":\"\"}},{\"fields\":{\"CUSTOMF_NAME\":\"Second\"},\"purchaser_nominative\":\"Second\"}]','A1;;1;;1.00','C',1795425255,'QLZJ7D437SELS65Y','1PKVHR2I05DL',1,NULL,'{\"doc\":\"f.pdf\"}',38,'2026-11-23 08:59:15',1,NULL,3,'America/New_York',0,'uid-1',NULL,'l1\nl2',0,NULL,1,''),
(39,2,5,7,'2027-11-07 05:30:00','+09:00',2,50,10,81.33,10.00,66.66,14.67,33.33,66.66,14.67,81.33,0.00,0.00,0.00,0.00,'[{\"name\":\"IVA 22\",\"tax\":14.67}]',0,'Ünï Tést','gina@example.test','+39 1','','','it-IT','{\"CUSTOMF_NAME\":\"\\u00dcn\\u00ef\",\"CUSTOMF_EMAIL\":\"gina@example.test\",\"I read and accept the terms and conditions\":\"1\",\"Gone field\":\"v\"}','[{\"fields\":{\"CUSTOMF_NAME\":\"\"}},{\"fields\":{\"CUSTOMF_NAME\":\"Second\"},\"purchaser_nominative\":\"Second\"}]','A1;;1;;1.00','W',1795425257,'IG681PH0H1D7V8QV','6E4TIE4WTI26',1,NULL,'{\"doc\":\"f.pdf\"}',39,'2026-11-23 08:59:17',1,NULL,3,'America/New_York',0,'uid-2',NULL,'l1\nl2',0,NULL,1,''),
(40,2,5,7,'2027-06-15 14:05:00','+09:00',2,50,10,81.33,10.00,66.66,14.67,33.33,66.66,14.67,81.33,0.00,0.00,0.00,0.00,'[{\"name\":\"IVA 22\",\"tax\":14.67}]',0,'Ünï Tést','gina@example.test','+39 1','','','it-IT','{\"CUSTOMF_NAME\":\"\\u00dcn\\u00ef\",\"CUSTOMF_EMAIL\":\"gina@example.test\",\"I read and accept the terms and conditions\":\"1\",\"Gone field\":\"v\"}','[{\"fields\":{\"CUSTOMF_NAME\":\"\"}},{\"fields\":{\"CUSTOMF_NAME\":\"Second\"},\"purchaser_nominative\":\"Second\"}]','A1;;1;;1.00','X',1795425258,'VC3V92O9YP3680NB','2880DGY8G1QV',1,NULL,'{\"doc\":\"f.pdf\"}',40,'2026-11-23 08:59:18',1,NULL,3,'America/New_York',0,'uid-3',NULL,'l1\nl2',0,NULL,1,''),
(41,2,5,7,'2027-08-15 06:00:00','+09:00',2,50,10,81.33,10.00,66.66,14.67,33.33,66.66,14.67,81.33,0.00,0.00,0.00,0.00,'[{\"name\":\"IVA 22\",\"tax\":14.67}]',0,'Ünï Tést','gina@example.test','2','','','it-IT','{\"CUSTOMF_NAME\":\"\\u00dcn\\u00ef\",\"CUSTOMF_EMAIL\":\"gina@example.test\",\"I read and accept the terms and conditions\":\"1\",\"Gone field\":\"v\"}','[{\"fields\":{\"CUSTOMF_NAME\":\"\"}},{\"fields\":{\"CUSTOMF_NAME\":\"Second\"},\"purchaser_nominative\":\"Second\"}]','A1;;1;;1.00','C',1795425262,'77Z0IQ8O71E1MN45','90812F9E2L70',1,NULL,'{\"doc\":\"f.pdf\"}',41,'2026-11-23 08:59:20',1,'2026-11-23 08:59:22',3,'America/New_York',0,'uid-4',NULL,'l1\nl2',0,NULL,1,''),
(42,2,5,7,'2027-08-16 06:00:00','+09:00',2,50,10,81.33,10.00,66.66,14.67,33.33,66.66,14.67,81.33,0.00,0.00,0.00,0.00,'[{\"name\":\"IVA 22\",\"tax\":14.67}]',0,'Ünï Tést','gina@example.test','+39 1','','','it-IT','{\"CUSTOMF_NAME\":\"\\u00dcn\\u00ef\",\"CUSTOMF_EMAIL\":\"gina@example.test\",\"I read and accept the terms and conditions\":\"1\",\"Gone field\":\"v\"}','[{\"fields\":{\"CUSTOMF_NAME\":\"\"}},{\"fields\":{\"CUSTOMF_NAME\":\"Second\"},\"purchaser_nominative\":\"Second\"}]','A1;;1;;1.00','C',1795425261,'H5RC442725A359G0','7ZARTA473O5F',1,NULL,'{\"doc\":\"f.pdf\"}',42,'2026-11-23 08:59:21',0,NULL,3,'America/New_York',0,'uid-5',NULL,'l1\nl2',0,NULL,1,'');
INSERT INTO `wp_vikappointments_service` VALUES
(5,'S A','s-a',NULL,0,0,1,-1,-1,-1,0.00,0,1,1,1,1,1,0,0,1,0,0,0,'',NULL,NULL,0,0,0,-1,1,'428BCA',0,1,NULL,NULL),
(6,'S B','s-b',NULL,0,0,1,-1,-1,-1,0.00,0,1,1,1,1,1,0,0,1,0,0,0,'',NULL,NULL,0,0,0,-1,1,'5CB85C',0,2,NULL,NULL),
(7,'Cut','cut','en text',50,10,1,-1,-1,-1,33.33,1,4,1,4,1,1,1,0,1,0,0,0,'',NULL,NULL,0,0,0,1,1,'AD4363',0,3,NULL,'[\"a.pdf\"]');
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
(3,0,1,'appointments','t','hello',NULL,1,NULL,'2026-11-23 08:42:42',NULL,1,NULL),
(4,0,23,'appointments','2026-11-23 09:50:33','new note',NULL,0,NULL,'2026-11-23 08:50:33',NULL,1,NULL),
(8,0,16,'appointments','t','secret note',NULL,0,'','2026-11-23 08:56:24',NULL,1,NULL);
INSERT INTO `wp_vikappointments_users` VALUES
(3,0,'','{\"CUSTOMF_NAME\":\"Gina\",\"CUSTOMF_LNAME\":\"Verdi\",\"CUSTOMF_EMAIL\":\"gina@example.test\",\"CUSTOMF_PHONE\":\"055123\",\"I read and accept the terms and conditions\":\"1\"}','Gina Verdi','gina@example.test','055123','','','','','','','','','','',0.00,0,NULL,NULL),
(4,0,'','{\"CUSTOMF_NAME\":\"Lia\",\"CUSTOMF_LNAME\":\"Neri\",\"CUSTOMF_EMAIL\":\"lia@example.test\",\"CUSTOMF_PHONE\":\"066\",\"I read and accept the terms and conditions\":\"1\"}','Lia Neri','lia@example.test','066','','','','','','','','','','',0.00,0,NULL,NULL),
(5,1,'','{\"CUSTOMF_NAME\":\"Ad\",\"CUSTOMF_LNAME\":\"Min\",\"CUSTOMF_EMAIL\":\"admin@example.test\",\"CUSTOMF_PHONE\":\"\",\"I read and accept the terms and conditions\":\"1\"}','Ad Min','admin@example.test','','','','','','','','','','','',0.00,0,NULL,NULL),
(6,0,'',NULL,'Žofie O\'Neil \"x\" & <b> / \\\\ 日本 é','uni@example.test','','','','','','','','','','line1\nline2	tab','',0.00,0,NULL,NULL);
INSERT INTO `wp_vikappointments_coupon` VALUES
(6,'TMP',1,1,1.00,0.00,1,NULL,NULL,0,1,0,0,NULL,0,'',0);
INSERT INTO `wp_vikappointments_lang_service` VALUES
(2,'Taglio',NULL,'testo it','it-IT',7);
INSERT INTO `wp_vikappointments_lang_group` VALUES
(1,'Capelli','','it-IT',1);
INSERT INTO `wp_vikappointments_lang_employee` VALUES
(1,'Tia IT',NULL,'x','it-IT',5);
INSERT INTO `wp_vikappointments_lang_empgroup` VALUES
(1,'Esperti','','it-IT',1);
INSERT INTO `wp_vikappointments_lang_status_code` VALUES
(1,'Confermato','',1,'it-IT');
INSERT INTO `wp_users` VALUES
(1,'admin','','admin','admin@example.test','http://127.0.0.1:8099','2026-11-23 08:35:00','',0,'admin');
INSERT INTO `wp_options` VALUES
(1,'siteurl','http://127.0.0.1:8099','yes'),
(23,'date_format','F j, Y','yes'),
(24,'time_format','g:i a','yes'),
(37,'gmt_offset','2','yes'),
(80,'timezone_string','Europe/Rome','yes');
ALTER TABLE `wp_vikappointments_status_code` AUTO_INCREMENT = 8;
ALTER TABLE `wp_vikappointments_service` AUTO_INCREMENT = 8;
ALTER TABLE `wp_options` AUTO_INCREMENT = 133;
ALTER TABLE `wp_vikappointments_users` AUTO_INCREMENT = 7;
ALTER TABLE `wp_vikappointments_user_notes` AUTO_INCREMENT = 10;
ALTER TABLE `wp_vikappointments_lang_group` AUTO_INCREMENT = 2;
ALTER TABLE `wp_vikappointments_option_value` AUTO_INCREMENT = 3;
ALTER TABLE `wp_vikappointments_employee` AUTO_INCREMENT = 6;
ALTER TABLE `wp_vikappointments_res_opt_assoc` AUTO_INCREMENT = 11;
ALTER TABLE `wp_vikappointments_employee_group` AUTO_INCREMENT = 2;
ALTER TABLE `wp_vikappointments_package` AUTO_INCREMENT = 2;
ALTER TABLE `wp_vikappointments_config` AUTO_INCREMENT = 182;
ALTER TABLE `wp_vikappointments_countries` AUTO_INCREMENT = 248;
ALTER TABLE `wp_vikappointments_custfields` AUTO_INCREMENT = 6;
ALTER TABLE `wp_vikappointments_lang_service` AUTO_INCREMENT = 3;
ALTER TABLE `wp_vikappointments_employee_location` AUTO_INCREMENT = 2;
ALTER TABLE `wp_vikappointments_package_order` AUTO_INCREMENT = 6;
ALTER TABLE `wp_vikappointments_lang_empgroup` AUTO_INCREMENT = 2;
ALTER TABLE `wp_vikappointments_option` AUTO_INCREMENT = 3;
ALTER TABLE `wp_vikappointments_reservation` AUTO_INCREMENT = 43;
ALTER TABLE `wp_vikappointments_package_order_item` AUTO_INCREMENT = 6;
ALTER TABLE `wp_vikappointments_invoice` AUTO_INCREMENT = 2;
ALTER TABLE `wp_vikappointments_emp_worktime` AUTO_INCREMENT = 78;
ALTER TABLE `wp_vikappointments_order_status` AUTO_INCREMENT = 72;
ALTER TABLE `wp_vikappointments_group` AUTO_INCREMENT = 2;
ALTER TABLE `wp_vikappointments_lang_employee` AUTO_INCREMENT = 2;
ALTER TABLE `wp_users` AUTO_INCREMENT = 2;
ALTER TABLE `wp_vikappointments_gpayments` AUTO_INCREMENT = 3;
ALTER TABLE `wp_vikappointments_coupon` AUTO_INCREMENT = 7;
ALTER TABLE `wp_vikappointments_lang_status_code` AUTO_INCREMENT = 2;
ALTER TABLE `wp_vikappointments_package_group` AUTO_INCREMENT = 2;
